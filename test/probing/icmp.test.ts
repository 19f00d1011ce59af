import { execFileSync, spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ProbeResult } from '../../src/health/probe-result.ts';
import { decodeEchoReply, encodeEchoRequest, ipv4HeaderOctets } from '../../src/probing/echo-message.ts';
import { createIcmpProbe, icmpProbe } from '../../src/probing/probes/icmp.ts';
import { loadNative } from '../../src/server/native.ts';
import { encodeEchoReply } from './echo-reply.ts';

const loaded = loadNative();
const hasNamespaces = spawnSync('unshare', ['-n', 'ip', 'link', 'set', 'lo', 'up']).status === 0;

/** Longer than all scenarios take together on a busy machine. */
const SCENARIOS_MS = 60_000;

interface Want {
  readonly name: string;
  readonly want: string;
  readonly evidence: object;
}

const roundTrips = {
  roundTripMinMs: expect.any(Number),
  roundTripMeanMs: expect.any(Number),
  roundTripMaxMs: expect.any(Number),
};
const allThree = { echoesSent: 3, echoesAnswered: 3, lossPercent: 0, ...roundTrips };
const two = { socket: 'ping', echoesSent: 5, echoesAnswered: 2, lossPercent: 60, ...roundTrips };
const none = { echoesSent: 1, echoesAnswered: 0, lossPercent: 100 };

const wants: readonly Want[] = [
  {
    name: 'raw v4',
    want: 'ok: 3 of 3 echoes answered at 127.0.0.1 ',
    evidence: { socket: 'raw', ...allThree },
  },
  { name: 'raw v6', want: 'ok: 3 of 3 echoes answered at ::1 ', evidence: { socket: 'raw', ...allThree } },
  {
    name: 'ping v4',
    want: 'ok: 3 of 3 echoes answered at 127.0.0.1 ',
    evidence: { socket: 'ping', ...allThree },
  },
  { name: 'ping v6', want: 'ok: 3 of 3 echoes answered at ::1 ', evidence: { socket: 'ping', ...allThree } },
  {
    name: 'ping v6 written otherwise',
    want: 'ok: 1 of 1 echoes answered',
    evidence: { socket: 'ping', echoesSent: 1, echoesAnswered: 1, lossPercent: 0, ...roundTrips },
  },
  {
    name: 'replies forged with another identifier',
    want: 'timeout: Timeout while waiting for echo replies (0 of 1 came)',
    evidence: { socket: 'raw', ...none },
  },
  {
    name: 'a flood of forged replies with the right identifier',
    want: 'malformed-response: 1000 messages that answer no echo of this run',
    evidence: { socket: 'raw', ...none },
  },
  { name: 'some lost where any is enough', want: 'ok: 2 of 5 echoes answered', evidence: two },
  {
    name: 'some lost where all are wanted',
    want: 'timeout: Timeout while waiting for echo replies (2 of 5 came)',
    evidence: two,
  },
  {
    name: 'silence',
    want: 'timeout: Timeout while waiting for echo replies (0 of 2 came) at 127.0.0.1 ',
    evidence: { socket: 'ping', ...none, echoesSent: 2 },
  },
  { name: 'no route', want: 'unreachable: Connecting failed (ENETUNREACH)', evidence: { socket: 'ping' } },
  {
    name: 'a route that this machine prohibits',
    want: 'internal-error: Connecting failed (EACCES)',
    evidence: { socket: 'ping' },
  },
  {
    name: 'a host unreachable',
    want: 'unreachable: Waiting for echo replies (0 of 1 came) failed (EHOSTUNREACH)',
    evidence: { socket: 'ping', ...none },
  },
  {
    name: 'forbidden',
    want: 'internal-error: ICMP is forbidden here: the sysctl net.ipv4.ping_group_range',
    evidence: {},
  },
];

describe.skipIf('reason' in loaded || !hasNamespaces)('the ICMP probe in a network of its own meets', () => {
  let results: Readonly<Record<string, ProbeResult>> = {};

  beforeAll(() => {
    const child = join(import.meta.dirname, 'echo-child.ts');
    const output = execFileSync('unshare', ['-n', process.execPath, child], {
      encoding: 'utf8',
      timeout: SCENARIOS_MS,
    });
    results = JSON.parse(output);
  }, SCENARIOS_MS);

  it.each(wants)('$name', ({ name, want, evidence }) => {
    const result = results[name];
    expect(`${result?.reason}: ${result?.detail}`).toContain(want);
    expect(result?.ok).toBe(want.startsWith('ok'));
    expect(result?.evidence).toEqual(evidence);
  });
});

describe('the ICMP probe', () => {
  const settings = icmpProbe.settings.parse({}) as never;
  const target = { address: '127.0.0.1', port: undefined, timeoutMs: 10_000 };

  it('says so when there is no addon', async () => {
    const result = await createIcmpProbe(() => ({ reason: 'not built' })).run(
      target,
      settings,
      new AbortController().signal,
    );
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(result.detail).toContain('ICMP needs the addon, which could not be loaded (not built)');
  });

  it('lets go of the signal, and blames nobody but itself or passes', async () => {
    const stopping = new AbortController();
    const result = await icmpProbe.run(target, settings, stopping.signal);
    // Whether this process may send echoes at all is the machine's to say.
    expect(['ok', 'internal-error']).toContain(result.reason);
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });

  it('ends at once when it is stopped', async () => {
    const stopping = new AbortController();
    const probing = icmpProbe.run(target, settings, stopping.signal);
    stopping.abort();
    expect(await probing).toMatchObject({ ok: false, reason: 'internal-error' });
  });

  const refused: readonly { readonly name: string; readonly given: object }[] = [
    { name: 'no echoes', given: { count: 0 } },
    { name: 'six echoes', given: { count: 6 } },
    { name: 'a payload without room for the nonce', given: { payloadOctets: 7 } },
    { name: 'a payload that paths would cut', given: { payloadOctets: 1401 } },
    { name: 'most answered', given: { answered: 'most' } },
  ];
  it.each(refused)('refuses $name', ({ given }) => {
    expect(icmpProbe.settings.safeParse(given).success).toBe(false);
  });
});

describe('an echo message', () => {
  const message = { identifier: 0x1234, sequence: 1, payload: new Uint8Array([1, 2, 3]) };

  it('is written as RFC 792 says, with its checksum', () => {
    expect(Buffer.from(encodeEchoRequest(4, message)).toString('hex')).toBe('0800e1c812340001010203');
  });

  it('leaves the checksum of ICMPv6 to the kernel', () => {
    expect(Buffer.from(encodeEchoRequest(6, message)).toString('hex')).toBe('8000000012340001010203');
  });

  it('is read behind an IP header', () => {
    const reply = encodeEchoReply(7, 9, new Uint8Array([5]));
    const packet = Buffer.concat([Buffer.from([0x46]), Buffer.alloc(23), reply]);
    expect(decodeEchoReply(4, packet, ipv4HeaderOctets(packet))).toEqual({
      identifier: 7,
      sequence: 9,
      payload: Buffer.from([5]),
    });
  });

  const others: readonly { readonly name: string; readonly hex: string }[] = [
    { name: 'nothing', hex: '' },
    { name: 'too few octets', hex: '00000000123400' },
    { name: 'a request', hex: '0800e1c812340001' },
    { name: 'another code', hex: '0001000012340001' },
    { name: 'a reply of the other family', hex: '8100000012340001' },
  ];
  it.each(others)('is not $name', ({ hex }) => {
    expect(decodeEchoReply(4, Buffer.from(hex, 'hex'), 0)).toBeUndefined();
    expect(decodeEchoReply(4, Buffer.from(hex, 'hex'), 60)).toBeUndefined();
  });
});
