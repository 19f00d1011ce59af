import { Counter, Gauge, type Registry } from 'prom-client';

/** What is exposed of a cluster, read anew for every exposition. */
export interface ClusterFigures {
  readonly peers: readonly {
    readonly name: string;
    readonly isUp: boolean;
    readonly roundTripMs: number | undefined;
    readonly behindDocuments: number;
    readonly certificateExpiresAtMs: number | undefined;
  }[];
  readonly isWithdrawn: boolean;
  readonly conflicts: number;
  readonly sessions: { readonly opened: number; readonly reconnects: number; readonly failedDials: number };
  readonly refusals: Readonly<Record<string, number>>;
  readonly joins: Readonly<Record<string, number>>;
  readonly octets: { readonly sent: number; readonly received: number };
  /** Frames, messages and rows of peers of which nothing could be made. */
  readonly malformed: number;
}

/** Registers the metrics of the cluster; nothing is exposed where the node is alone. */
export function registerCluster(registry: Registry, figures: (() => ClusterFigures) | undefined): void {
  if (figures === undefined) return;
  registerPeers(registry, figures);
  new Gauge({
    name: 'meridian_cluster_withdrawn',
    help: '1 while this node has withdrawn from service.',
    registers: [registry],
    collect() {
      this.set(figures().isWithdrawn ? 1 : 0);
    },
  });
  new Gauge({
    name: 'meridian_conflicts',
    help: 'Things that were written on several nodes without knowledge of each other and are not resolved.',
    registers: [registry],
    collect() {
      this.set(figures().conflicts);
    },
  });
  counter(
    registry,
    'meridian_cluster_sessions_total',
    'Connections with peers, by what became of them.',
    'event',
    () => {
      const { opened, reconnects, failedDials } = figures().sessions;
      return { opened, reconnected: reconnects, 'not-reached': failedDials };
    },
  );
  counter(
    registry,
    'meridian_cluster_refused_total',
    'Connections that were refused, by reason.',
    'reason',
    () => figures().refusals,
  );
  counter(
    registry,
    'meridian_cluster_joins_total',
    'Machines that wanted to join, by how they were answered.',
    'outcome',
    () => figures().joins,
  );
  counter(
    registry,
    'meridian_cluster_octets_total',
    'Octets between this node and its peers.',
    'direction',
    () => ({
      ...figures().octets,
    }),
  );
  counter(
    registry,
    'meridian_cluster_malformed_total',
    'What peers sent of which nothing could be made.',
    'kind',
    () => ({ frame: figures().malformed }),
  );
}

function registerPeers(registry: Registry, figures: () => ClusterFigures): void {
  const peer = (
    name: string,
    help: string,
    value: (peer: ClusterFigures['peers'][number]) => number | undefined,
  ): void => {
    new Gauge({
      name,
      help,
      labelNames: ['peer'],
      registers: [registry],
      collect() {
        this.reset();
        for (const one of figures().peers) {
          const figure = value(one);
          if (figure !== undefined) this.set({ peer: one.name }, figure);
        }
      },
    });
  };
  peer('meridian_peer_up', '1 while this node is in touch with the peer.', ({ isUp }) => (isUp ? 1 : 0));
  peer('meridian_peer_round_trip_seconds', 'Of the newest heartbeat.', ({ roundTripMs }) =>
    roundTripMs === undefined ? undefined : roundTripMs / 1000,
  );
  peer(
    'meridian_peer_behind_documents',
    'Documents in which the peer and this node differ.',
    ({ behindDocuments }) => behindDocuments,
  );
  peer('meridian_peer_certificate_expires_seconds', 'When the certificate ends, since 1970.', (one) =>
    one.certificateExpiresAtMs === undefined ? undefined : one.certificateExpiresAtMs / 1000,
  );
}

function counter(
  registry: Registry,
  name: string,
  help: string,
  label: string,
  values: () => Readonly<Record<string, number>>,
): void {
  new Counter({
    name,
    help,
    labelNames: [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [key, value] of Object.entries(values())) this.inc({ [label]: key }, value);
    },
  });
}
