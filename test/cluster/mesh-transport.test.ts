import { connect, type Socket } from 'node:net';
import { connect as connectSecurely, type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { encodeValue } from '../../src/cluster/frame.ts';
import { JOIN_PROTOCOL } from '../../src/cluster/identity/join-messages.ts';
import { encodeControl } from '../../src/cluster/transport/control.ts';
import type { TransportLimits } from '../../src/cluster/transport/limits.ts';
import { withLength } from '../../src/cluster/transport/mesh/farewell.ts';
import { MeshTransport } from '../../src/cluster/transport/mesh/mesh-transport.ts';
import { PEER_PROTOCOL } from '../../src/cluster/transport/secure-context.ts';
import type { JoinListener, TransportIdentity } from '../../src/cluster/transport/transport.ts';
import { isInstalled } from '../contract/debian-tools.ts';
import { StagedNode, silentLog } from '../contract/transport-stage.ts';
import { TestAuthority } from './certificates.ts';

describe.skipIf(!isInstalled('openssl'))('the mesh', () => {
  let authority: TestAuthority;
  const nodes: StagedNode[] = [];
  beforeAll(() => {
    authority = new TestAuthority('cluster-1');
  });
  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.transport.close();
  });
  afterAll(() => authority.remove());

  async function start(
    name: string,
    options: { readonly limits?: Partial<TransportLimits>; readonly onJoin?: JoinListener } = {},
  ): Promise<{ readonly node: StagedNode; readonly port: number }> {
    const identity = authority.identity({ name });
    const listen = { host: '127.0.0.1', port: 0 };
    const transport = new MeshTransport({ identity, listen, version: '1.0.0', log: silentLog, ...options });
    const node = new StagedNode(name, transport, { cut() {}, heal() {}, reset() {} });
    nodes.push(node);
    await transport.start(node);
    return { node, port: transport.port };
  }

  /** A peer of its own kind: a true certificate, and whatever it likes to say. */
  async function speak(
    port: number,
    identity: TransportIdentity,
    words: readonly Uint8Array[],
  ): Promise<TLSSocket> {
    const { certificatePem: cert, privateKeyPem: key } = identity;
    const options = { host: '127.0.0.1', port, cert, key, rejectUnauthorized: false };
    const socket = connectSecurely({ ...options, ALPNProtocols: [PEER_PROTOCOL] });
    socket.on('error', () => {});
    socket.resume();
    for (const each of words) socket.write(each);
    return socket;
  }

  const hello = (changes: object): Uint8Array => {
    const said = {
      protocol: { min: 1, max: 1 },
      clusterId: 'cluster-1',
      node: 'z',
      version: '9',
      sessionNonce: 'n',
    };
    return withLength(encodeControl('hello', encodeValue({ ...said, ...changes })));
  };

  it('takes a hello with fields and messages of a later version', async () => {
    const { node, port } = await start('a');
    node.transport.setPeers([{ name: 'z', addresses: [] }]);
    const later = withLength(Uint8Array.of(0, 250, 1, 2, 3));
    const socket = await speak(port, authority.identity({ name: 'z' }), [hello({ mood: ['good'] })]);
    const session = await node.session('z');
    socket.write(Buffer.concat([later, withLength(Uint8Array.of(1, 0xc0))]));
    await node.sees('the frame after it', () => node.frames.length === 1);
    expect([session.version, node.events]).toEqual(['9', ['up z']]);
    socket.destroy();
  });

  const lies: readonly {
    readonly name: string;
    readonly words: readonly Uint8Array[];
    readonly reason: 'protocol' | 'name-mismatch' | 'wrong-cluster';
  }[] = [
    { name: 'another name', words: [hello({ node: 'b' })], reason: 'name-mismatch' },
    { name: 'another cluster', words: [hello({ clusterId: 'other' })], reason: 'wrong-cluster' },
    { name: 'no name', words: [hello({ node: 5 })], reason: 'protocol' },
    { name: 'a second hello', words: [hello({}), hello({})], reason: 'protocol' },
    {
      name: 'an acceptance',
      words: [hello({}), withLength(encodeControl('accept', Buffer.from('x')))],
      reason: 'protocol',
    },
    { name: 'a frame before the hello', words: [withLength(Uint8Array.of(1, 0xc0))], reason: 'protocol' },
    { name: 'an empty message', words: [Uint8Array.of(0, 0, 0, 0)], reason: 'protocol' },
    {
      name: 'a message without end',
      words: [hello({}), Uint8Array.of(255, 255, 255, 255)],
      reason: 'protocol',
    },
    { name: 'a long hello', words: [withLength(new Uint8Array(20_000))], reason: 'protocol' },
  ];
  it.each(lies)('refuses a peer that says $name', async ({ words, reason }) => {
    const { node, port } = await start('a');
    node.transport.setPeers([{ name: 'z', addresses: [] }]);
    const socket = await speak(port, authority.identity({ name: 'z' }), words);
    await node.sees('the refusal', () => node.refused(reason) === 1);
    await node.sees('the end', () => node.sessions.size === 0);
    socket.destroy();
  });

  it('holds a bounded number of connections that prove nothing, and lets peers in after them', async () => {
    const limits = { handshakes: 6, handshakesPerAddress: 4, handshakeTimeoutMs: 300 };
    const { node, port } = await start('a', { limits });
    const strangers: Socket[] = [];
    for (let count = 0; count < 200; count += 1) {
      const socket = connect({ host: '127.0.0.1', port });
      socket.on('error', () => {});
      // The beginning of a TLS record, and never the rest.
      socket.write(Uint8Array.of(0x16, 0x03, 0x01));
      strangers.push(socket);
    }
    await node.sees('the refusals', () => node.refused('overload') === 196);
    await node.sees('the late ones', () => node.refused('protocol') === 4);
    await node.sees('none left', () =>
      strangers.every(({ destroyed, readyState }) => destroyed || readyState !== 'open'),
    );
    const { node: b } = await start('b');
    node.transport.setPeers([{ name: 'b', addresses: [] }]);
    b.transport.setPeers([{ name: 'a', addresses: [{ host: '127.0.0.1', port }] }]);
    await Promise.all([node.session('b'), b.session('a')]);
    for (const socket of strangers) socket.destroy();
  });

  it('hands over who wants to join, without a certificate', async () => {
    const { port } = await start('a', { onJoin: (socket) => socket.end('welcome') });
    const socket = connectSecurely({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: [JOIN_PROTOCOL],
    });
    const heard: Buffer[] = [];
    for await (const chunk of socket) heard.push(chunk);
    expect(Buffer.concat(heard).toString()).toBe('welcome');
    expect(socket.getProtocol() ?? 'TLSv1.3').toBe('TLSv1.3');
  });

  it('outlives a listener for joining nodes that fails', async () => {
    const onJoin = () => {
      throw new Error('a bug');
    };
    const { port } = await start('a', { onJoin });
    for (let times = 0; times < 2; times += 1) {
      const options = { host: '127.0.0.1', port, rejectUnauthorized: false };
      const socket = connectSecurely({ ...options, ALPNProtocols: [JOIN_PROTOCOL] });
      socket.on('error', () => {});
      socket.resume();
      await new Promise((resolve) => socket.once('close', resolve));
    }
  });

  it('lets nobody join where that is not asked for', async () => {
    const { node, port } = await start('a');
    const socket = connectSecurely({
      host: '127.0.0.1',
      port,
      rejectUnauthorized: false,
      ALPNProtocols: [JOIN_PROTOCOL],
    });
    const error = await new Promise<Error>((resolve) => socket.once('error', resolve));
    expect(error.message).toMatch(/no application protocol/i);
    await node.sees('the refusal', () => node.refused('protocol') === 1);
  });

  it.each(['the lesser', 'the greater'])('needs only %s name to reach the other', async (who) => {
    const [a, b] = [await start('a'), await start('b')];
    const reach = (port: number, isReachable: boolean) => (isReachable ? [{ host: '127.0.0.1', port }] : []);
    a.node.transport.setPeers([{ name: 'b', addresses: reach(b.port, who === 'the lesser') }]);
    b.node.transport.setPeers([{ name: 'a', addresses: reach(a.port, who === 'the greater') }]);
    await Promise.all([a.node.session('b'), b.node.session('a')]);
  });

  it('tries addresses in turn, and refuses another peer at the address of the wanted', async () => {
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    const at = (port: number) => ({ host: '127.0.0.1', port });
    a.node.transport.setPeers([
      {
        name: 'b',
        addresses: [at(1), at(70_000), at(c.port), { host: 'no-such-host.invalid', port: 1 }, at(b.port)],
      },
      { name: 'c', addresses: [] },
    ]);
    b.node.transport.setPeers([{ name: 'a', addresses: [] }]);
    await Promise.all([a.node.session('b'), b.node.session('a')]);
    expect([a.node.refused('name-mismatch'), a.node.events]).toEqual([1, ['up b']]);
  });

  it('meets its peers at addresses without names, and itself without alarm', async () => {
    const [a, b, c] = [await start('a'), await start('b'), await start('c')];
    for (const { node } of [a, b, c])
      node.transport.setPeers(
        ['a', 'b'].filter((name) => name !== node.name).map((name) => ({ name, addresses: [] })),
      );
    a.node.transport.setCandidates([a, b, c].map(({ port }) => ({ host: '127.0.0.1', port })));
    await Promise.all([a.node.session('b'), b.node.session('a')]);
    await a.node.sees('the stranger', () => a.node.refused('unknown-node') > 0);
    expect([a.node.refused('name-mismatch'), a.node.events]).toEqual([0, ['up b']]);
  });
});
