import dgram from 'node:dgram';
import { getEventListeners } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import type { ProbeReason, ProbeResult } from '../../src/health/probe-result.ts';
import { udpProbe } from '../../src/probing/probes/udp.ts';

type Peer = (server: dgram.Socket, from: dgram.RemoteInfo, request: Buffer) => void;

const open: dgram.Socket[] = [];

afterEach(() => {
  for (const socket of open.splice(0)) socket.close();
});

async function startPeer(peer: Peer, type: 'udp4' | 'udp6' = 'udp4'): Promise<number> {
  const server = dgram.createSocket(type);
  server.on('message', (request, from) => peer(server, from, request));
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.bind(0, type === 'udp4' ? '127.0.0.1' : '::1', resolve));
  open.push(server);
  return server.address().port;
}

async function refusedPort(): Promise<number> {
  const port = await startPeer(() => undefined);
  open.pop()?.close();
  return port;
}

function probe(port: number, given: object, timeoutMs: number, address = '127.0.0.1'): Promise<ProbeResult> {
  const settings = udpProbe.settings.parse(given);
  return udpProbe.run({ address, port, timeoutMs }, settings as never, new AbortController().signal);
}

/** Long enough for a loopback exchange on a busy machine. */
const AMPLE_MS = 10_000;
const SHORT_MS = 150;

const answer =
  (reply: string | Buffer): Peer =>
  (server, { port, address }) =>
    server.send(reply, port, address);

const echo: Peer = (server, { port, address }, request) => server.send(request, port, address);

const silence: Peer = () => undefined;

/** Answers from a port that was not asked. */
const stranger: Peer = (_, { port }) => {
  const other = dgram.createSocket('udp4');
  open.push(other);
  other.send('all good', port, '127.0.0.1');
};

const flood: Peer = (server, { port, address }) => {
  for (let count = 0; count < 500; count += 1) server.send('x'.repeat(1400), port, address);
};

const cases: readonly {
  readonly name: string;
  readonly peer: Peer | 'nobody';
  readonly settings: object;
  readonly timeoutMs?: number;
  readonly want: ProbeReason;
  readonly evidence?: object;
}[] = [
  {
    name: 'the expected text',
    peer: answer('all good'),
    settings: { send: 'PING', expect: 'good' },
    want: 'ok',
    evidence: { replyStart: 'all good', replyOctets: 8 },
  },
  {
    name: 'the expected octets',
    peer: echo,
    settings: { sendHex: '00 ff 0d0a', expectHex: 'FF0D' },
    want: 'ok',
    evidence: { replyStart: '....', replyOctets: 4 },
  },
  { name: 'an empty datagram sent back', peer: echo, settings: { expect: 'x' }, want: 'unexpected-reply' },
  { name: 'a wrong reply', peer: answer('bad'), settings: { expect: 'good' }, want: 'unexpected-reply' },
  {
    name: 'silence where a reply is expected',
    peer: silence,
    settings: { expect: 'good' },
    timeoutMs: SHORT_MS,
    want: 'timeout',
  },
  {
    name: 'a good reply from elsewhere',
    peer: stranger,
    settings: { expect: 'good' },
    timeoutMs: SHORT_MS,
    want: 'timeout',
  },
  {
    name: 'a flood',
    peer: flood,
    settings: { expect: 'good' },
    want: 'unexpected-reply',
    evidence: { replyStart: 'x'.repeat(200), replyOctets: 1400 },
  },
  {
    name: 'nobody, with something expected',
    peer: 'nobody',
    settings: { expect: 'x' },
    want: 'connection-refused',
  },
  { name: 'nobody, with nothing expected', peer: 'nobody', settings: {}, want: 'connection-refused' },
  { name: 'silence', peer: silence, settings: {}, timeoutMs: SHORT_MS, want: 'ok' },
  {
    name: 'silence for as long as a refusal is waited for',
    peer: silence,
    settings: { refusalWaitSeconds: 0.05 },
    want: 'ok',
  },
  {
    name: 'any reply',
    peer: answer('bad'),
    settings: {},
    want: 'ok',
    evidence: { replyStart: 'bad', replyOctets: 3 },
  },
  {
    name: 'a good reply from elsewhere, with nothing expected',
    peer: stranger,
    settings: {},
    timeoutMs: SHORT_MS,
    want: 'ok',
    evidence: {},
  },
];

describe('the UDP probe', () => {
  it.each(cases)('meets $name', async ({ peer, settings, timeoutMs, want, evidence }) => {
    const port = peer === 'nobody' ? await refusedPort() : await startPeer(peer);
    const result = await probe(port, settings, timeoutMs ?? AMPLE_MS);
    expect(`${result.reason}: ${result.detail}`).toMatch(
      new RegExp(`^${want}: .* at 127.0.0.1:${port} after`),
    );
    expect(result.ok).toBe(want === 'ok');
    if (evidence !== undefined) expect(result.evidence).toEqual(evidence);
  });

  it('works over IPv6', async () => {
    const port = await startPeer(answer('all good'), 'udp6');
    const result = await probe(port, { send: 'PING', expect: 'good' }, AMPLE_MS, '::1');
    expect(result).toMatchObject({ ok: true, evidence: { replyStart: 'all good' } });
  });

  it('does not take silence for success when a refusal came while this node stood still', async () => {
    const port = await refusedPort();
    const probing = probe(port, { refusalWaitSeconds: 0.05 }, AMPLE_MS);
    // The datagram leaves in the first turns of the loop; the standstill is after that.
    await new Promise(setImmediate);
    const end = performance.now() + 200;
    while (performance.now() < end);
    expect(await probing).toMatchObject({ reason: 'connection-refused' });
  });

  it('ends at once when it is stopped, and lets go of the signal', async () => {
    const stopping = new AbortController();
    const port = await startPeer(() => stopping.abort());
    const settings = udpProbe.settings.parse({ expect: 'x' });
    const to = { address: '127.0.0.1', port, timeoutMs: AMPLE_MS };
    const result = await udpProbe.run(to, settings as never, stopping.signal);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('blames the monitor for a port that is missing', async () => {
    const to = { address: '127.0.0.1', port: undefined, timeoutMs: AMPLE_MS };
    const settings = udpProbe.settings.parse({});
    const result = await udpProbe.run(to, settings as never, new AbortController().signal);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
  });
});

const refused: readonly { readonly name: string; readonly given: object; readonly want: string }[] = [
  { name: 'two things to send', given: { send: 'a', sendHex: '00' }, want: 'must not be given beside send' },
  {
    name: 'two things to expect',
    given: { expect: 'a', expectHex: '00' },
    want: 'must not be given beside expect',
  },
  { name: 'half an octet', given: { sendHex: '123' }, want: 'must be octets in hexadecimal' },
  { name: 'no octets', given: { expectHex: '' }, want: 'must be octets in hexadecimal' },
  { name: 'too long a text', given: { send: 'é'.repeat(700) }, want: 'must not be more than 1200 octets' },
  {
    name: 'too many octets',
    given: { sendHex: '00'.repeat(1201) },
    want: 'must not be more than 1200 octets',
  },
];

describe('the settings of the UDP probe', () => {
  it.each(refused)('refuse $name', ({ given, want }) => {
    const result = udpProbe.settings.safeParse(given);
    expect(result.error?.issues.map(({ message }) => message).join()).toContain(want);
  });
});
