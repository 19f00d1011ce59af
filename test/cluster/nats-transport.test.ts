import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { NatsTransport } from '../../src/cluster/transport/nats/nats-transport.ts';
import { SealedChannel } from '../../src/cluster/transport/nats/sealed-channel.ts';
import { openStatement } from '../../src/cluster/transport/nats/statement.ts';
import { isInstalled } from '../contract/debian-tools.ts';
import { StagedNode, silentLog } from '../contract/transport-stage.ts';
import { TestAuthority } from './certificates.ts';
import { NatsServer } from './nats-server.ts';

function channels(clusterKeys: readonly [number, number] = [1, 1]): readonly [SealedChannel, SealedChannel] {
  const [left, right] = [generateKeyPairSync('x25519'), generateKeyPairSync('x25519')];
  const transcript = new Uint8Array(32);
  const keys = clusterKeys.map((octet) => new Uint8Array(32).fill(octet)) as [Uint8Array, Uint8Array];
  const offering = {
    privateKey: left.privateKey,
    peerPublicKey: right.publicKey,
    clusterKey: keys[0],
    transcript,
  };
  const answering = {
    privateKey: right.privateKey,
    peerPublicKey: left.publicKey,
    clusterKey: keys[1],
    transcript,
  };
  return [
    new SealedChannel({ ...offering, side: 'offering' }),
    new SealedChannel({ ...answering, side: 'answering' }),
  ];
}

function outcome(channel: SealedChannel, message: Uint8Array): string {
  const opened = channel.open(message);
  return opened.ok ? Buffer.from(opened.payload).toString() : opened.reason;
}

describe('a sealed channel', () => {
  const [first, second, third] = ['one', 'two', 'three'].map((word) => Buffer.from(word)) as [
    Buffer,
    Buffer,
    Buffer,
  ];

  it('gives back what was sealed, in order, both ways', () => {
    const [left, right] = channels();
    expect([outcome(right, left.seal(first)), outcome(right, left.seal(second))]).toEqual(['one', 'two']);
    expect(outcome(left, right.seal(first))).toBe('one');
  });

  it('rejects what is repeated, and what comes out of order', () => {
    const [left, right] = channels();
    const [one, , three] = [left.seal(first), left.seal(second), left.seal(third)];
    expect(['one', 'repeated', 'gap'].map((_, at) => outcome(right, [one, one, three][at] ?? one))).toEqual([
      'one',
      'repeated',
      'gap',
    ]);
  });

  it('opens nothing that was sent the other way, or sealed by another cluster', () => {
    const [left] = channels();
    expect(outcome(left, left.seal(first))).toBe('forged');
    const [stranger, member] = channels([1, 2]);
    expect(outcome(member, stranger.seal(first))).toBe('forged');
  });

  it('opens nothing with an octet changed', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const [left, right] = channels();
        const message = left.seal(first);
        const octet = at % message.length;
        message[octet] = (message[octet] ?? 0) ^ change;
        expect(['forged', 'repeated']).toContain(outcome(right, message));
        expect(outcome(right, left.seal(second))).toBe('gap');
      }),
      { numRuns: 50 },
    );
  });
});

it('no octets make a statement', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      expect(openStatement(new Uint8Array(32), octets)).toBeUndefined();
    }),
  );
});

describe.skipIf(!isInstalled('openssl') || !isInstalled('nats-server'))('nodes on a broker', () => {
  it('lose their sessions with it, and find each other on the next', async () => {
    const authority = new TestAuthority('cluster-1');
    const certificate = authority.issue({ name: 'broker' });
    const server = await NatsServer.start(certificate);
    const nodes = ['a', 'b'].map((name) => {
      const transport = new NatsTransport({
        identity: authority.identity({ name }),
        clusterKey: new Uint8Array(32),
        servers: [{ host: '127.0.0.1', port: server.port }],
        brokerCaCertificatesPem: [authority.certificatePem],
        version: '1.0.0',
        log: silentLog,
        limits: { longestBackoffMs: 500 },
      });
      return new StagedNode(name, transport, { cut() {}, heal() {}, reset() {} });
    });
    const [a, b] = nodes as [StagedNode, StagedNode];
    for (const node of nodes) {
      node.transport.setPeers(['a', 'b'].map((name) => ({ name, addresses: [] })));
      await node.transport.start(node);
    }
    await Promise.all([a.session('b'), b.session('a')]);
    await server.stop();
    await a.sees('the loss', () => a.sessions.size === 0);
    await b.sees('the loss', () => b.sessions.size === 0);
    expect(a.events.at(-1)).toMatch(/^down b: the broker is lost/);
    const next = await NatsServer.start(certificate, server.port);
    const session = await a.session('b');
    await b.session('a');
    expect(session.send(encodeFrame('members', 1))).toBe(true);
    await b.sees('the frame', () => b.frames.length === 1);
    for (const node of nodes) await node.transport.close();
    await next.stop();
    authority.remove();
  });
});
