import { Dispatch } from '../../cluster/dispatch.ts';
import { ObservationExchange } from '../../cluster/health/exchange.ts';
import { ClusterIdentity } from '../../cluster/identity/cluster-identity.ts';
import type { ClusterSettings } from '../../cluster/identity/cluster-settings.ts';
import { nodeOf } from '../../cluster/identity/create-cluster.ts';
import type { IdentityFiles } from '../../cluster/identity/identity-files.ts';
import { JoinListener } from '../../cluster/identity/join-listener.ts';
import {
  liveNodes,
  type MembershipStore,
  nodeChange,
  tryToWrite,
} from '../../cluster/identity/membership.ts';
import { splitAddress } from '../../cluster/identity/peer-address.ts';
import { Membership, type OwnStatus, STATUS_INTERVAL_MS } from '../../cluster/members/membership.ts';
import { ClusterSync } from '../../cluster/sync/cluster-sync.ts';
import { processClock } from '../../cluster/sync/sync-clock.ts';
import { MeshTransport } from '../../cluster/transport/mesh/mesh-transport.ts';
import type { PeerSession, Transport } from '../../cluster/transport/transport.ts';
import type { Config } from '../../config/model.ts';
import type { Observation } from '../../health/observation.ts';
import type { Verdict } from '../../health/verdict.ts';
import type { Logger } from '../../observe/log.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import { readSealKeys } from '../../store/seal/seal-keys.ts';
import type { Closers } from '../closers.ts';
import type { NodeControlPlane } from '../control-plane.ts';
import type { HealthLoop } from '../health-loop.ts';
import type { IncidentLoop } from '../incidents/incident-loop.ts';
import { StartError } from '../start-error.ts';
import { exchangeClock } from './exchange-clock.ts';

/** Certificates last for months. */
const RENEWAL_CHECK_MS = 300_000;

export interface ClusterParts {
  readonly files: IdentityFiles;
  readonly dataDirectory: string;
  readonly store: ReplicatedStore;
  readonly plane: NodeControlPlane;
  readonly health: HealthLoop;
  readonly incidents: IncidentLoop;
  readonly version: string;
  readonly log: Logger;
}

export interface RunningCluster {
  readonly identity: ClusterIdentity;
  readonly membership: Membership;
  readonly transport: Transport;
  readonly sync: ClusterSync;
  readonly dispatch: Dispatch;
  readonly exchange: ObservationExchange;
  /** To be called when the configuration or its endpoints may be others than before; most times nothing is. */
  follow(): void;
  /** What this node's own vantage has observed. */
  takeOwn(observations: readonly Observation[]): void;
  /** A verdict is in the table that queries read. */
  tellLive(key: string, verdict: Verdict): void;
}

/** Brings the node in touch with its cluster: the configuration, the health and the membership of all become one. */
export async function startCluster(parts: ClusterParts, closers: Closers): Promise<RunningCluster> {
  const { files, store, plane, health, incidents, log } = parts;
  const { name } = files.settings;
  const members: MembershipStore = membersOf(plane);
  const tell = (
    level: 'info' | 'warn' | 'error',
    fields: Readonly<Record<string, unknown>>,
    message: string,
  ): void => log[level](fields, message);
  const now = (): Date => new Date();
  const identity: ClusterIdentity = new ClusterIdentity({
    dataDirectory: parts.dataDirectory,
    files,
    members,
    now,
    log: tell,
    onRenewed: () => transport.useIdentity(identity.transportIdentity()),
    onLeft: () => transport.setPeers([]),
  });
  const sealKeys = () => readSealKeys(parts.dataDirectory) ?? [];
  const join = new JoinListener({ identity: () => identity.files, members, sealKeys, now, log: tell });
  const transport: Transport = new MeshTransport({
    identity: identity.transportIdentity(),
    listen: splitAddress(files.settings.listen),
    version: parts.version,
    log,
    onJoin: join.take,
  });
  const startedAtMs = Date.now();
  const membership: Membership = new Membership({
    self: name,
    own: () => ownStatus(parts, identity, startedAtMs),
    behind: (peer) => behindOf(sync, peer),
    nowMs: () => Date.now(),
    steadyMs: () => performance.now(),
    onChange: () => plane.announce(),
  });
  const publish = (): Promise<void> =>
    plane
      .adoptStored()
      .catch((error) => log.error({ err: error }, 'what peers wrote could not be published'));
  const sync: ClusterSync = new ClusterSync({
    store,
    clock: processClock,
    publish,
    blobArrived: () =>
      void plane.publishAll().catch((error) => log.error({ err: error }, 'a zone could not be published')),
    refused: (refusal) => log.warn(refusal, 'something that a peer sent was not taken in'),
  });
  const exchange = new ObservationExchange({
    node: name,
    clock: exchangeClock,
    onObservations: (arrivals) => health.hear(arrivals),
    onSeats: (seats) => health.setSeats(seats),
    onLive: (node, news) => {
      for (const one of news) incidents.takeLive(node, one);
    },
  });
  const dispatch: Dispatch = new Dispatch(channelParts({ membership, sync, exchange }, () => dispatch));
  let followed: Config | undefined;
  const follow = (): void => {
    exchange.setSources(health.sources());
    if (followed?.nodes === plane.config.nodes && followed.removals === plane.config.removals) return;
    followed = plane.config;
    const nodes = liveNodes(plane.config);
    const isAlone = nodes.length === 0;
    membership.setNodes(nodes);
    exchange.setNodes(isAlone ? [{ name, region: files.settings.region }] : nodes);
    transport.setPeers(
      nodes.map((node) => ({ name: node.name, addresses: node.addresses.map(splitAddress) })),
      identity.standing === 'unknown' ? 'admitted' : 'refused',
    );
    transport.useIdentity(identity.transportIdentity());
    void identity.announce();
  };
  if (isFirst(files.settings, plane.config)) await foundCluster(members, files);
  transport.setCandidates(files.settings.peers.map(splitAddress));
  follow();
  await transport.start(dispatch);
  const timers = [
    setInterval(() => membership.tick(), STATUS_INTERVAL_MS),
    setInterval(() => void identity.renewIfDue(), RENEWAL_CHECK_MS),
  ];
  closers.add(async () => {
    for (const timer of timers) clearInterval(timer);
    await transport.close();
    sync.close();
    exchange.close();
  });
  await identity.renewIfDue();
  return {
    identity,
    membership,
    transport,
    sync,
    dispatch,
    exchange,
    follow,
    takeOwn: (observations) => exchange.takeOwn(observations),
    tellLive: (key, verdict) => exchange.tellLive({ key, verdict, atMs: Date.now() }),
  };
}

/** Whether this is the node that the cluster began with, and it has just begun. */
function isFirst({ peers, srvName, serviceName }: ClusterSettings, { nodes }: Config): boolean {
  return nodes.size === 0 && peers.length === 0 && srvName === undefined && serviceName === undefined;
}

async function foundCluster(members: MembershipStore, files: IdentityFiles): Promise<void> {
  const authorship = { author: 'cluster', reason: 'the first node of the cluster' };
  const written = await tryToWrite(members, [nodeChange(nodeOf(files, new Date()))], authorship);
  if (!written.ok) throw new StartError(written.problems);
}

function membersOf(plane: NodeControlPlane): MembershipStore {
  return {
    get config() {
      return plane.config;
    },
    write: (changes, authorship) => plane.write(changes, authorship),
  };
}

function ownStatus(
  { plane, version }: ClusterParts,
  identity: ClusterIdentity,
  startedAtMs: number,
): OwnStatus {
  const { generation, conditions, dns } = plane.status();
  // Endpoints without a verdict are no reason to ask another node: it may know no more.
  const unmet = conditions.find(({ name, holds }) => !holds && name !== 'verdicts');
  const { region, role } = identity.files.settings;
  return {
    version,
    region,
    role,
    startedAtMs,
    generation,
    isReady: unmet === undefined,
    reason: (unmet?.detail ?? '').slice(0, MAX_REASON_LENGTH),
    dns: dns.slice(0, MAX_DNS_TOLD),
    certificateExpiresAtMs: Date.parse(identity.overview().certificateExpiresAt),
  };
}

/** As a peer takes it; see `member-status.ts`. */
const MAX_REASON_LENGTH = 256;
const MAX_DNS_TOLD = 64;

/** By the wall clock, from one that never goes back. */
function behindOf(
  sync: ClusterSync,
  peer: string,
): { readonly documents: number; readonly sinceMs: number | undefined } {
  const behind = sync.behind().get(peer);
  const sinceMs = behind?.sinceMs;
  return {
    documents: behind?.documents ?? 0,
    sinceMs: sinceMs === undefined ? undefined : Date.now() - (processClock.nowMs() - sinceMs),
  };
}

type Channels = ConstructorParameters<typeof Dispatch>[0];

function channelParts(
  { membership, sync, exchange }: Pick<RunningCluster, 'membership' | 'sync' | 'exchange'>,
  dispatch: () => Dispatch,
): Channels {
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
      onFrame: (session: PeerSession, value: unknown) => sync.onFrame(session, { channel: 'blobs', value }),
      onDrain: () => undefined,
      onDown: () => undefined,
    },
    observations: exchange,
  };
}
