import { connect as connectPlainly } from 'node:net';
import { connect } from 'node:tls';
import { MeshTransport } from '../../src/cluster/transport/mesh/mesh-transport.ts';
import { PEER_PROTOCOL } from '../../src/cluster/transport/secure-context.ts';
import { BreakableLink } from '../cluster/breakable-link.ts';
import { StagedNode, silentLog, type TransportGround, type TransportStage } from './transport-stage.ts';

export async function prepareMesh(): Promise<TransportGround> {
  return { open: meshStage, close: async () => {} };
}

function meshStage(): TransportStage {
  const nodes: { readonly node: StagedNode; readonly link: BreakableLink }[] = [];
  const portOf = (node: StagedNode) => nodes.find((entry) => entry.node === node)?.link.port ?? 0;
  return {
    async start({ version = '1.0.0', ...spec }) {
      const listen = { host: '127.0.0.1', port: 0 };
      const transport = new MeshTransport({ ...spec, listen, version, log: silentLog });
      const link = await BreakableLink.to(() => transport.port);
      const node = new StagedNode(spec.identity.name, transport, link);
      nodes.push({ node, link });
      await transport.start(node);
      return node;
    },
    specOf: (node) => ({ name: node.name, addresses: [{ host: '127.0.0.1', port: portOf(node) }] }),
    freeze() {
      // Some of its connections pass the links of others.
      for (const { link } of nodes) link.freeze();
    },
    async sendGarbage(to) {
      const at = { host: '127.0.0.1', port: portOf(to) };
      const plain = connectPlainly(at);
      plain.write(Buffer.alloc(5000, 'GET / '));
      await closed(plain);
      const secured = connect({ ...at, rejectUnauthorized: false, ALPNProtocols: [PEER_PROTOCOL] });
      secured.write(Buffer.alloc(5000, 0xff));
      await closed(secured);
    },
    async close() {
      for (const { node } of nodes) await node.transport.close();
      for (const { link } of nodes) await link.close();
    },
  };
}

async function closed(socket: import('node:net').Socket): Promise<void> {
  socket.on('error', () => {});
  socket.resume();
  await new Promise<void>((resolve) => socket.once('close', () => resolve()));
}
