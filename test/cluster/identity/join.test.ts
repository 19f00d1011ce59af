import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { serialOf } from '../../../src/cluster/identity/certificate.ts';
import { createCluster } from '../../../src/cluster/identity/create-cluster.ts';
import { openCaKey } from '../../../src/cluster/identity/identity-files.ts';
import { type InvitationToken, parseToken } from '../../../src/cluster/identity/invitation-token.ts';
import { type Joined, joinCluster, type NewNode } from '../../../src/cluster/identity/join-client.ts';
import { JOIN_PROTOCOL } from '../../../src/cluster/identity/join-messages.ts';
import { liveNodes, type MemberStore } from '../../../src/cluster/identity/member-config.ts';
import type { Parsed } from '../../../src/config/problem.ts';
import { alice, type FirstNode, node, Stage } from './given.ts';

const stage = new Stage();
afterEach(() => stage.clear());

const lon: NewNode = {
  name: 'lon-1',
  region: 'eu-west',
  role: 'delayed',
  listen: '0.0.0.0:7053',
  advertise: ['192.0.2.2:7053'],
};

const NOT_ACCEPTED = /^The invitation is not accepted/;

async function invited(first: FirstNode, address: string, seconds = 3600): Promise<InvitationToken> {
  const issued = await first.identity.invite(seconds, alice);
  if (!issued.ok) throw new Error(JSON.stringify(issued.problems));
  const token = parseToken(issued.value.token);
  if (!token.ok) throw new Error('our own token');
  return { ...token.value, addresses: [address] };
}

function joinedOf(joined: Parsed<Joined>): Joined {
  if (!joined.ok) throw new Error(JSON.stringify(joined.problems));
  return joined.value;
}

async function messages(joining: ReturnType<typeof joinCluster>): Promise<readonly string[]> {
  const joined = await joining;
  return joined.ok ? ['joined'] : joined.problems.map(({ message }) => message);
}

function namesOf({ config }: MemberStore): readonly string[] {
  return liveNodes(config).map(({ name }) => name);
}

describe('a machine with an invitation', () => {
  it('becomes a node, with nothing copied by hand', async () => {
    const first = await stage.firstNode();
    const { address, listener } = await stage.listen(first.files, first.members);
    const token = await invited(first, address);
    const joined = await joinCluster(token, lon);
    expect(joined).toMatchObject({ ok: true });
    const { files } = joinedOf(joined);
    expect(files).toMatchObject({
      settings: {
        ...lon,
        clusterId: first.files.settings.clusterId,
        membership: token.invitation,
        transport: { kind: 'mesh' },
        peers: ['192.0.2.1:7053', '[2001:db8::1]:7053'],
      },
      caCertificatePem: first.files.caCertificatePem,
      clusterKey: first.files.clusterKey,
    });
    expect(openCaKey(files.clusterKey, files.sealedCaKey)).toContain('PRIVATE KEY');
    expect(first.members.config.nodes.get('lon-1')?.value).toMatchObject({
      region: 'eu-west',
      role: 'delayed',
      addresses: ['192.0.2.2:7053'],
      certificateSerial: serialOf(files.certificatePem),
    });
    expect(first.members.config.invitations.get(token.invitation)?.value.usedBy).toBe('lon-1');
    expect(listener.counters()).toMatchObject({ asked: 1, joined: 1, 'not-accepted': 0 });
  });

  it('can itself let in the next', async () => {
    const first = await stage.firstNode();
    const { address } = await stage.listen(first.files, first.members);
    const joined = await joinCluster(await invited(first, address), lon);
    const { files } = joinedOf(joined);
    const second = await stage.listen(files, first.members);
    const token = await invited(first, second.address);
    expect(await messages(joinCluster(token, { ...lon, name: 'nyc-1' }))).toEqual(['joined']);
    expect(namesOf(first.members)).toEqual(['fra-1', 'lon-1', 'nyc-1']);
  });

  it('can read what was sealed before there was a cluster', async () => {
    const first = await stage.firstNode();
    const before = new Uint8Array(32).fill(9);
    const { address } = await stage.listen(first.files, first.members, { sealKeys: () => [before] });
    const { sealKeys } = joinedOf(await joinCluster(await invited(first, address), lon));
    expect(sealKeys).toEqual([first.identity.secret('seal'), before]);
  });

  it('is not let in by a node that has left or was removed itself', async () => {
    const first = await stage.firstNode();
    const { address, logged } = await stage.listen(first.files, first.members);
    const token = await invited(first, address);
    await first.identity.leave(alice);
    expect(await messages(joinCluster(token, lon))).toEqual([expect.stringMatching(NOT_ACCEPTED)]);
    expect(logged).toContain('a machine that wanted to join was not accepted: this node is no member itself');
  });

  it('comes in once', async () => {
    const first = await stage.firstNode();
    const { address, logged } = await stage.listen(first.files, first.members);
    const token = await invited(first, address);
    const both = await Promise.all([
      messages(joinCluster(token, lon)),
      messages(joinCluster(token, { ...lon, name: 'lon-2' })),
    ]);
    expect(both.flat().sort()).toEqual([expect.stringMatching(NOT_ACCEPTED), 'joined']);
    expect(await messages(joinCluster(token, { ...lon, name: 'lon-3' }))).toEqual([
      expect.stringMatching(NOT_ACCEPTED),
    ]);
    expect(namesOf(first.members).length).toBe(2);
    expect(logged).toContain('a machine that wanted to join was not accepted: used');
  });

  it('is told the same, whatever is wrong with the invitation', async () => {
    const first = await stage.firstNode();
    const { address, listener, logged } = await stage.listen(first.files, first.members);
    const token = await invited(first, address);
    const expired = await invited(first, address, 60);
    const wrong = [
      { ...token, secret: new Uint8Array(32) },
      { ...token, invitation: 'e'.repeat(32) },
      { ...token, secret: expired.secret },
    ];
    const told = new Set<string>();
    for (const bad of wrong) for (const text of await messages(joinCluster(bad, lon))) told.add(text);
    const withdrawn = await invited(first, address);
    await first.identity.withdraw(withdrawn.invitation, alice);
    for (const text of await messages(joinCluster(withdrawn, lon))) told.add(text);
    stage.days = 1;
    for (const text of await messages(joinCluster(expired, lon))) told.add(text);
    expect([...told]).toEqual([expect.stringMatching(NOT_ACCEPTED)]);
    expect(listener.counters()['not-accepted']).toBe(5);
    expect(logged.map((line) => line.split(': ')[1])).toEqual([
      'wrong secret',
      'unknown',
      'wrong secret',
      'unknown',
      'expired',
    ]);
    expect(namesOf(first.members)).toEqual(['fra-1']);
  });

  it('keeps it where its name is taken, and may have the name of one that was removed', async () => {
    const first = await stage.firstNode();
    const { address } = await stage.listen(first.files, first.members);
    const lonToken = await invited(first, address);
    await joinCluster(lonToken, lon);
    const serial = first.members.config.nodes.get('lon-1')?.value.certificateSerial ?? '';
    const token = await invited(first, address);
    expect(await messages(joinCluster(token, lon))).toEqual([
      expect.stringContaining('a node lon-1 already'),
    ]);
    await first.identity.remove('lon-1', alice);
    expect(await messages(joinCluster(token, lon))).toEqual(['joined']);
    const again = first.members.config.nodes.get('lon-1')?.value;
    expect(again?.removed).toBeUndefined();
    expect(again?.revokedSerials).toEqual([serial]);
  });

  it('is not told that it is in before that is on disk', async () => {
    const first = await stage.firstNode();
    const token = await invited(first, '127.0.0.1:1');
    const members: MemberStore = {
      config: first.members.config,
      write: () => Promise.reject(new Error('no space left on device')),
    };
    const { address, listener } = await stage.listen(first.files, members);
    const told = await messages(joinCluster({ ...token, addresses: [address] }, lon));
    expect(told).toEqual(['The change could not be written: no space left on device.']);
    expect(listener.counters()).toMatchObject({ failed: 1, joined: 0 });
    expect(namesOf(first.members)).toEqual(['fra-1']);
  });

  it('believes no other cluster, and tries the next address', async () => {
    const first = await stage.firstNode();
    const stranger = createCluster(node('fra-1'), Date.now());
    const foreign = await stage.listen(stranger, first.members);
    const { address } = await stage.listen(first.files, first.members);
    const token = await invited(first, address);
    const alone = { ...token, addresses: ['127.0.0.1:1', foreign.address] };
    expect(await messages(joinCluster(alone, lon))).toEqual([
      expect.stringContaining('ECONNREFUSED'),
      expect.stringContaining('belongs to another cluster'),
    ]);
    expect(foreign.listener.counters()).toMatchObject({ asked: 1, 'not-accepted': 0 });
    expect(await messages(joinCluster({ ...alone, addresses: [...alone.addresses, address] }, lon))).toEqual([
      'joined',
    ]);
  });

  it('sends no proof to who only shows the certificate of the CA', async () => {
    const first = await stage.firstNode();
    const stranger = createCluster({ ...node('fra-1') }, Date.now());
    const copied = { ...stranger, caCertificatePem: first.files.caCertificatePem };
    const { address, listener } = await stage.listen(copied, first.members);
    const told = await messages(joinCluster(await invited(first, address), lon));
    expect(told).toEqual([expect.stringMatching(/cannot be asked: .*certificate/)]);
    expect(listener.counters()).toMatchObject({ asked: 1, joined: 0, 'not-accepted': 0 });
  });

  it('is told of a node whose certificate has ended', async () => {
    stage.days = -200;
    const first = await stage.firstNode();
    stage.days = 0;
    const { address } = await stage.listen(first.files, first.members);
    const told = await messages(joinCluster(await invited(first, address), lon));
    expect(told).toEqual([expect.stringContaining('its certificate has ended')]);
  });
});

describe('the door', () => {
  async function knock(port: number): Promise<TLSSocket> {
    const socket = connect({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: [JOIN_PROTOCOL],
    });
    socket.on('error', () => undefined);
    await once(socket, 'secureConnect');
    return socket;
  }

  const frame = (text: string): Buffer => {
    const head = Buffer.alloc(4);
    head.writeUInt32BE(Buffer.byteLength(text));
    return Buffer.concat([head, Buffer.from(text)]);
  };

  it.each([
    { name: 'octets of nothing', octets: Buffer.alloc(64, 0xff) },
    { name: 'a request of HTTP', octets: Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\n\r\n') },
    { name: 'a frame that is no JSON', octets: frame('}{') },
    { name: 'JSON of something else', octets: frame('{"kind":"leave"}') },
    { name: 'null', octets: frame('null') },
    { name: 'a request that is no JSON', octets: frame('{"kind":"join","request":"x","proof":"y"}') },
    { name: 'an empty request', octets: frame('{"kind":"join","request":"{}","proof":"y"}') },
    { name: 'two frames', octets: Buffer.concat([frame('{"kind":"who"}'), frame('{"kind":"who"}')]) },
    { name: 'a frame of no octets', octets: Buffer.alloc(4) },
  ])('ends a connection that sends $name, and tells nothing', async ({ octets }) => {
    const first = await stage.firstNode();
    const { port, listener, logged } = await stage.listen(first.files, first.members);
    const socket = await knock(port);
    const heard: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => heard.push(chunk));
    socket.write(octets);
    await once(socket, 'close');
    expect(Buffer.concat(heard).length).toBe(0);
    expect(listener.counters()).toMatchObject({ protocol: 1, failed: 0, asked: 0 });
    expect(logged.length).toBe(1);
  });

  it('ends a connection that says nothing, or half of something', async () => {
    const first = await stage.firstNode();
    const { port, listener } = await stage.listen(first.files, first.members, { timeLimitMs: 50 });
    const silent = await knock(port);
    const half = await knock(port);
    half.write(frame('{"kind":"who"}').subarray(0, 9));
    await Promise.all([once(silent, 'close'), once(half, 'close')]);
    expect(listener.counters().protocol).toBe(2);
  });

  it('takes so many at once, and so many a minute', async () => {
    const first = await stage.firstNode();
    const fixed = new Date();
    const { port, listener } = await stage.listen(first.files, first.members, { now: () => fixed });
    const sockets = await Promise.all(Array.from({ length: 20 }, () => knock(port)));
    await Promise.all(
      sockets.slice(-4).map((socket) => (socket.destroyed ? undefined : once(socket, 'close'))),
    );
    expect(listener.counters().overload).toBe(4);
    for (const socket of sockets) socket.destroy();
  });
});
