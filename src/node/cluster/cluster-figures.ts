import type { ClusterFigures } from '../../observe/cluster-metrics.ts';
import type { NodeCluster } from './node-cluster.ts';

/** The cluster as metrics show it. */
export function clusterFigures(cluster: NodeCluster, conflicts: number): ClusterFigures {
  const { membership, transport, joins, sync, exchange, dispatch } = cluster;
  const carried = transport.counters();
  const { documents, blobs } = sync.counters();
  return {
    peers: membership
      .peers()
      .map(({ name, state, roundTripMs, behindDocuments, certificateExpiresAtMs }) => ({
        name,
        isUp: state === 'up',
        roundTripMs,
        behindDocuments,
        certificateExpiresAtMs,
      })),
    isWithdrawn: !membership.isAnnounced(),
    conflicts,
    sessions: {
      opened: carried.sessionsOpened,
      reconnects: carried.reconnects,
      failedDials: carried.failedDials,
    },
    refusals: carried.refused,
    joins: joins.counters(),
    octets: { sent: carried.octetsSent, received: carried.octetsReceived },
    malformed:
      dispatch.counters().malformedFrames + documents.refusals + blobs.refusals + exchange.counters().refused,
  };
}
