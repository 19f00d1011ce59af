import { X509Certificate } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeFrame, MAX_FRAME_OCTETS } from '../../src/cluster/frame.ts';
import type { PeerSession } from '../../src/cluster/transport/transport.ts';
import { type CertificateSpec, TestAuthority } from '../cluster/certificates.ts';
import { isInstalled } from './debian-tools.ts';
import { prepareMesh } from './mesh-stage.ts';
import { prepareNats } from './nats-stage.ts';
import {
  introduce,
  type NodeSpec,
  type StagedNode,
  type TransportGround,
  type TransportStage,
} from './transport-stage.ts';

const kinds = [
  { kind: 'mesh', prepare: prepareMesh, needs: ['openssl'] },
  { kind: 'nats', prepare: prepareNats, needs: ['openssl', 'nats-server'] },
] as const;

describe.each(kinds)('cluster transport: $kind', ({ prepare, needs }) => {
  const absent = needs.filter((command) => !isInstalled(command));
  if (absent.length > 0) {
    it.skip(`needs ${absent.join(' and ')} (Debian: apt-get install ${absent.join(' ')})`);
    return;
  }
  let authority: TestAuthority;
  let ground: TransportGround;
  let stage: TransportStage;
  beforeAll(async () => {
    authority = new TestAuthority('cluster-1');
    ground = await prepare(authority);
  });
  afterAll(async () => {
    await ground.close();
    authority.remove();
  });
  beforeEach(() => {
    stage = ground.open();
  });
  afterEach(() => stage.close());

  const start = (name: string, spec: Partial<NodeSpec> = {}, certificate: Partial<CertificateSpec> = {}) =>
    stage.start({ identity: authority.identity({ name, ...certificate }), ...spec });

  async function pair(left: Partial<NodeSpec> = {}, right: Partial<NodeSpec> = {}): Promise<Pair> {
    const [a, b] = [await start('a', left), await start('b', right)];
    introduce(stage, [a, b]);
    return { a, b, toB: await a.session('b'), toA: await b.session('a') };
  }

  it('brings up one session between any two nodes', async () => {
    const nodes = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) nodes.push(await start(name));
    introduce(stage, nodes);
    for (const node of nodes)
      for (const other of nodes)
        if (other !== node) expect((await node.session(other.name)).peer).toBe(other.name);
    // Whatever else was under way has come to nothing once both sides answer.
    for (const node of nodes)
      await node.sees('round trips', () => [...node.sessions.values()].every(hasRoundTrip));
    for (const node of nodes) expect(node.events.filter((event) => !event.startsWith('up '))).toEqual([]);
  });

  it('tells what is known of a peer', async () => {
    const identity = authority.identity({ name: 'b' });
    const { toB, a } = await pair({}, { identity, version: '2.3.4' });
    const certificate = new X509Certificate(identity.certificatePem);
    await a.sees('a round trip', () => hasRoundTrip(toB));
    expect(toB).toMatchObject({
      peer: 'b',
      version: '2.3.4',
      protocol: 1,
      certificateSerial: certificate.serialNumber,
      certificateExpiresAtMs: certificate.validToDate.getTime(),
    });
    expect(toB.roundTripMs).toBeGreaterThan(0);
  });

  it('carries frames whole and in order, of any size, both ways at once', async () => {
    const { a, b, toB, toA } = await pair();
    const sizes = [1, 2, 100, 16_383, 16_384, 16_385, 70_000, 1_000_000, 3_000_001, 5];
    const frames = sizes.map((size, at) => encodeFrame('blobs', new Uint8Array(size).fill(at)));
    for (const frame of frames) for (const session of [toA, toB]) await sent(session, frame);
    for (const node of [a, b]) {
      await node.sees('all frames', () => node.frames.length === frames.length);
      expect(node.frames.every(({ octets }, at) => Buffer.compare(octets, frames[at] ?? octets) === 0)).toBe(
        true,
      );
    }
  });

  it('carries the largest frame, and takes no larger one', async () => {
    const { b, toB } = await pair();
    await sent(toB, new Uint8Array(MAX_FRAME_OCTETS).fill(1));
    await b.sees('the frame', () => b.frames.length === 1);
    expect(b.frames[0]?.octets.length).toBe(MAX_FRAME_OCTETS);
    expect(() => toB.send(new Uint8Array(MAX_FRAME_OCTETS + 1).fill(1))).toThrow(RangeError);
    expect(() => toB.send(new Uint8Array(0))).toThrow(RangeError);
  });

  it('takes no more than the bound for a peer that does not read, and says when there is room', async () => {
    const { a, b, toB } = await pair(
      { limits: { heartbeatIntervalMs: 60_000 } },
      { limits: { heartbeatIntervalMs: 60_000 } },
    );
    for (const { link } of [a, b]) link.cut();
    const frame = new Uint8Array(256 * 1024).fill(1);
    let taken = 0;
    while (toB.send(frame)) taken += 1;
    expect(toB.waitingOctets).toBeLessThan(6 * 1024 * 1024);
    expect(toB.send(frame)).toBe(false);
    for (const { link } of [a, b]) link.heal();
    await a.sees('room again', () => a.drains > 0);
    expect(toB.send(frame)).toBe(true);
    await b.sees('all that was taken', () => b.frames.length === taken + 1);
  });

  it('notices a peer that falls silent, and finds it again', async () => {
    const limits = { heartbeatIntervalMs: 50, handshakeTimeoutMs: 500, longestBackoffMs: 500 };
    const { a, b } = await pair({ limits }, { limits });
    for (const { link } of [a, b]) link.cut();
    await a.sees('the silence', () => a.sessions.size === 0);
    await b.sees('the silence', () => b.sessions.size === 0);
    expect(a.events[1]).toMatch(/^down b: nothing was heard for 5 heartbeats/);
    for (const { link } of [a, b]) link.heal();
    await Promise.all([a.session('b'), b.session('a')]);
    expect(a.transport.counters().reconnects).toBeGreaterThan(0);
  });

  it('finds a peer again whose connections were reset', async () => {
    const { a, b } = await pair();
    for (const { link } of [a, b]) link.reset();
    await a.sees('the loss', () => a.events.length > 1);
    await Promise.all([a.session('b'), b.session('a')]);
    expect(a.events.filter((event) => event.startsWith('second'))).toEqual([]);
  });

  it('takes a peer that started again for the same, at once', async () => {
    const { a, b } = await pair();
    stage.freeze(b);
    await b.transport.close();
    const again = await start('b');
    introduce(stage, [a, again]);
    await again.session('a');
    await a.sees('the new session', () => a.events.at(-1) === 'up b');
    expect(a.events).toEqual(['up b', 'down b: replaced by a newer session', 'up b']);
  });

  describe('refuses, by name', () => {
    const cases: readonly {
      readonly reason: 'expired' | 'wrong-cluster' | 'name-mismatch';
      readonly certificate: CertificateSpec;
    }[] = [
      { reason: 'expired', certificate: { name: 'b', isExpired: true } },
      { reason: 'wrong-cluster', certificate: { name: 'b', clusterId: 'cluster-2' } },
      { reason: 'name-mismatch', certificate: { name: 'b', claimedName: 'c' } },
    ];
    it.each(cases)('$reason', async ({ reason, certificate }) => {
      const a = await start('a');
      const b = await stage.start({
        identity: { ...authority.identity(certificate), clusterId: authority.clusterId },
      });
      introduce(stage, [a, b]);
      await a.sees(reason, () => a.refused(reason) > 0);
      expect([a.events, b.events]).toEqual([[], []]);
    });

    it('a node that says the name of another', async () => {
      const [a, c] = [await start('a'), await start('c')];
      const liar = await stage.start({ identity: { ...authority.identity({ name: 'c' }), name: 'b' } });
      introduce(stage, [a, c, liar]);
      await a.sees('the lie', () => a.refused('name-mismatch') > 0);
      await a.session('c');
      expect(a.events).toEqual(['up c']);
    });

    it('foreign-ca', async () => {
      const foreign = new TestAuthority('cluster-1');
      const a = await start('a');
      const b = await stage.start({ identity: foreign.identity({ name: 'b' }) });
      introduce(stage, [a, b]);
      await a.sees('the stranger', () => a.refused('foreign-ca') > 0);
      expect([a.events, b.events]).toEqual([[], []]);
      foreign.remove();
    });

    it('unknown-node', async () => {
      const [a, b] = [await start('a'), await start('b')];
      b.transport.setPeers([stage.specOf(a)]);
      await a.sees('the stranger', () => a.refused('unknown-node') > 0);
      expect([a.events, b.events]).toEqual([[], []]);
    });

    it('revoked', async () => {
      const identity = authority.identity({ name: 'b' });
      const { serialNumber } = new X509Certificate(identity.certificatePem);
      const a = await stage.start({ identity: authority.identity({ name: 'a' }, new Set([serialNumber])) });
      const b = await stage.start({ identity });
      introduce(stage, [a, b]);
      await a.sees('the revoked', () => a.refused('revoked') > 0);
      expect([a.events, b.events]).toEqual([[], []]);
    });

    it('another protocol version', async () => {
      const [a, b] = [await start('a'), await start('b', { protocol: { min: 2, max: 3 } })];
      introduce(stage, [a, b]);
      await a.sees('the other version', () => a.refused('protocol') > 0);
      expect([a.events, b.events]).toEqual([[], []]);
    });

    it('garbage, and goes on with its peers', async () => {
      const { a, b, toB } = await pair();
      await stage.sendGarbage(a);
      await a.sees('garbage', () => a.refused('protocol') + a.refused('foreign-ca') > 1);
      await sent(toB, encodeFrame('members', 'still here'));
      await b.sees('the frame', () => b.frames.length === 1);
      expect(a.events).toEqual(['up b']);
    });
  });

  it('speaks the newest version that both know', async () => {
    const { toB, toA } = await pair({ protocol: { min: 1, max: 2 } }, { protocol: { min: 2, max: 3 } });
    expect([toA.protocol, toB.protocol]).toEqual([2, 2]);
  });

  it('goes over to a renewed certificate without a new session', async () => {
    const identity = authority.identity({ name: 'b' });
    const { a, b, toB } = await pair({}, { identity });
    const renewed = { ...identity, ...authority.issue({ name: 'b' }) };
    b.transport.useIdentity(renewed);
    const { serialNumber } = new X509Certificate(renewed.certificatePem);
    await a.sees('the renewed certificate', () => toB.certificateSerial === serialNumber);
    const c = await start('c');
    introduce(stage, [a, b, c]);
    expect((await c.session('b')).certificateSerial).toBe(serialNumber);
    expect(a.events.filter((event) => event.startsWith('down'))).toEqual([]);
  });

  it('ends the session of a revoked certificate', async () => {
    const revoked = new Set<string>();
    const identity = authority.identity({ name: 'a' }, revoked);
    const { a, b, toB } = await pair({ identity });
    revoked.add(toB.certificateSerial);
    a.transport.useIdentity(identity);
    expect(a.events.at(-1)).toMatch(/^down b: .*revoked/);
    await b.sees('the end', () => b.events.some((event) => /^down a: .*revoked/.test(event)));
  });

  it('ends the session of a peer that is removed', async () => {
    const { a, b } = await pair();
    a.transport.setPeers([]);
    expect(a.sessions.size).toBe(0);
    await b.sees('the end', () => b.sessions.size === 0);
    await a.sees('no way back', () => a.refused('unknown-node') > 0);
    expect(a.events.filter((event) => event === 'up b')).toHaveLength(1);
  });

  it.each(['a', 'b'])(
    'lets %s admit whoever is of the cluster, until it knows the members',
    async (newcomer) => {
      const [a, b] = [await start('a'), await start('b')];
      const [joined, member] = newcomer === 'a' ? [a, b] : [b, a];
      joined.transport.setPeers([], 'admitted');
      member.transport.setPeers([stage.specOf(joined)]);
      await Promise.all([joined.session(member.name), member.session(joined.name)]);
      joined.transport.setPeers([stage.specOf(member)]);
      expect(joined.events).toEqual([`up ${member.name}`]);
      joined.transport.setPeers([]);
      expect(joined.sessions.size).toBe(0);
    },
  );

  it('ends the session in which a listener fails, and no other', async () => {
    const { a, b, toB } = await pair();
    const c = await start('c');
    introduce(stage, [a, b, c]);
    await c.session('b');
    b.react = () => {
      throw new Error('a bug');
    };
    await sent(toB, encodeFrame('members', 1));
    await a.sees('the end', () => a.events.some((event) => event.startsWith('down b')));
    expect(b.events.filter((event) => event.startsWith('down c'))).toEqual([]);
  });
});

interface Pair {
  readonly a: StagedNode;
  readonly b: StagedNode;
  readonly toA: PeerSession;
  readonly toB: PeerSession;
}

function hasRoundTrip(session: PeerSession): boolean {
  return session.roundTripMs !== undefined;
}

/** Sends it when there is room. */
async function sent(session: PeerSession, frame: Uint8Array): Promise<void> {
  while (!session.send(frame)) await new Promise((resolve) => setImmediate(resolve));
}
