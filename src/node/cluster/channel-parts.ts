import type { ClusterPart, Dispatch } from '../../cluster/dispatch.ts';
import type { Channel } from '../../cluster/frame.ts';
import type { ObservationExchange } from '../../cluster/health/exchange.ts';
import type { Membership } from '../../cluster/members/membership.ts';
import type { ClusterSync } from '../../cluster/sync/cluster-sync.ts';

/** Which part of the cluster has which channel. */
export function channelParts(
  parts: {
    readonly membership: Membership;
    readonly sync: ClusterSync;
    readonly exchange: ObservationExchange;
  },
  dispatch: () => Dispatch,
): Readonly<Record<Channel, ClusterPart>> {
  const { membership, sync, exchange } = parts;
  return {
    members: {
      onUp: (session) => membership.onUp(session),
      onFrame: (session, value) => {
        if (!membership.onFrame(session, value)) dispatch().malformed(session);
      },
      onDrain: () => undefined,
      onDown: (session, reason) => membership.onDown(session, reason),
    },
    // Documents and blobs are one part with two channels: sessions are told to it once.
    documents: {
      onUp: (session) => sync.onUp(session),
      onFrame: (session, value) => sync.onFrame(session, { channel: 'documents', value }),
      onDrain: (session) => sync.onDrain(session),
      onDown: (session) => sync.onDown(session),
    },
    blobs: {
      onUp: () => undefined,
      onFrame: (session, value) => sync.onFrame(session, { channel: 'blobs', value }),
      onDrain: () => undefined,
      onDown: () => undefined,
    },
    observations: exchange,
  };
}
