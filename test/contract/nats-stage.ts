import { connect } from '@nats-io/transport-node';
import { NatsTransport } from '../../src/cluster/transport/nats/nats-transport.ts';
import { BreakableLink } from '../cluster/breakable-link.ts';
import type { TestAuthority } from '../cluster/certificates.ts';
import { NatsServer } from '../cluster/nats-server.ts';
import { StagedNode, silentLog, type TransportGround, type TransportStage } from './transport-stage.ts';

export async function prepareNats(authority: TestAuthority): Promise<TransportGround> {
  const server = await NatsServer.start(authority.issue({ name: 'broker' }));
  return { open: () => natsStage(authority, server), close: () => server.stop() };
}

function natsStage(authority: TestAuthority, server: NatsServer): TransportStage {
  const nodes: { readonly node: StagedNode; readonly link: BreakableLink }[] = [];
  const ca = authority.certificatePem;
  const toBroker = { ca, host: '127.0.0.1' };
  return {
    async start({ version = '1.0.0', ...spec }) {
      const link = await BreakableLink.to(() => server.port);
      const transport = new NatsTransport({
        ...spec,
        clusterKey: new Uint8Array(32).fill(7),
        servers: [{ host: '127.0.0.1', port: link.port }],
        brokerCaCertificatesPem: [ca],
        version,
        log: silentLog,
      });
      const node = new StagedNode(spec.identity.name, transport, link);
      nodes.push({ node, link });
      await transport.start(node);
      return node;
    },
    specOf: (node) => ({ name: node.name, addresses: [] }),
    freeze: (node) => nodes.find((entry) => entry.node === node)?.link.freeze(),
    /** Someone on the broker who is no node, and repeats besides what nodes have said. */
    async sendGarbage(to) {
      const stranger = await connect({ servers: [`127.0.0.1:${server.port}`], tls: toBroker });
      const heard = stranger.subscribe(`meridian.*.${to.name}.*`);
      for await (const { subject, data } of heard) {
        const changed = Uint8Array.from(data);
        changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
        for (const octets of [
          data,
          changed,
          Buffer.alloc(5000, 1),
          Buffer.alloc(5000, 2),
          Buffer.alloc(1),
          Buffer.alloc(0),
        ])
          stranger.publish(subject, octets);
        break;
      }
      await stranger.flush();
      await stranger.close();
    },
    async close() {
      for (const { node } of nodes) await node.transport.close();
      for (const { link } of nodes) await link.close();
    },
  };
}
