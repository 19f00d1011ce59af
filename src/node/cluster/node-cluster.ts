import { Dispatch } from '../../cluster/dispatch.ts';
import { ObservationExchange } from '../../cluster/health/exchange.ts';
import { ClusterIdentity } from '../../cluster/identity/cluster-identity.ts';
import type { IdentityFiles } from '../../cluster/identity/identity-files.ts';
import { JoinListener } from '../../cluster/identity/join-listener.ts';
import { liveNodes, type MemberStore } from '../../cluster/identity/member-config.ts';
import { splitAddress } from '../../cluster/identity/peer-address.ts';
import { memberProblems } from '../../cluster/members/member-problems.ts';
import { Membership, STATUS_INTERVAL_MS } from '../../cluster/members/membership.ts';
import { ClusterSync } from '../../cluster/sync/cluster-sync.ts';
import { processClock } from '../../cluster/sync/sync-clock.ts';
import type { Discovery } from '../../cluster/transport/discovery.ts';
import type { Transport } from '../../cluster/transport/transport.ts';
import type { Config } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import type { Observation } from '../../health/observation.ts';
import type { Verdict } from '../../health/verdict.ts';
import type { Logger } from '../../observe/log.ts';
import type { ReplicatedStore } from '../../store/replicated-store.ts';
import { readSealKeys } from '../../store/seal/seal-keys.ts';
import type { NodeControlPlane } from '../control/control-plane.ts';
import type { HealthLoop } from '../health/health-loop.ts';
import type { IncidentLoop } from '../incidents/incident-loop.ts';
import { channelParts } from './channel-parts.ts';
import { createDiscovery } from './create-discovery.ts';
import { exchangeClock } from './exchange-clock.ts';
import { openTransport } from './open-transport.ts';
import { ownStatus } from './own-status.ts';
import { turnedStore } from './turned-store.ts';

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

/**
 * Brings a node in touch with its cluster: configuration, health and membership of all become one.
 *
 *     transport --> dispatch --> membership              who is there
 *                           --> sync --> store --> plane  what is configured
 *                           --> exchange --> health       what is up
 */
export class NodeCluster {
  readonly identity: ClusterIdentity;
  readonly membership: Membership;
  readonly joins: JoinListener;
  readonly transport: Transport;
  readonly sync: ClusterSync;
  readonly exchange: ObservationExchange;
  readonly dispatch: Dispatch;
  readonly #parts: ClusterParts;
  readonly #members: MemberStore;
  readonly #startedAtMs = Date.now();
  #followed: Pick<Config, 'nodes' | 'removals'> | undefined;
  readonly #discovery: Discovery;
  #timers: readonly NodeJS.Timeout[] = [];

  constructor(parts: ClusterParts) {
    const { files, plane, log, version } = parts;
    this.#parts = parts;
    this.#members = membersOf(plane);
    const common = {
      members: this.#members,
      now: () => new Date(),
      log: (level: 'info' | 'warn' | 'error', fields: object, message: string) => log[level](fields, message),
    };
    this.identity = new ClusterIdentity({
      ...common,
      dataDirectory: parts.dataDirectory,
      files,
      onRenewed: () => this.transport.useIdentity(this.identity.transportIdentity()),
      onLeft: () => this.transport.setPeers([]),
    });
    this.joins = new JoinListener({
      ...common,
      identity: () => this.identity.files,
      sealKeys: () => readSealKeys(parts.dataDirectory) ?? [],
    });
    this.transport = openTransport({ identity: this.identity, joins: this.joins, version, log });
    this.#discovery = createDiscovery(files.settings, this.transport, log);
    this.membership = this.#createMembership();
    this.sync = this.#createSync();
    this.exchange = this.#createExchange();
    this.dispatch = new Dispatch(channelParts(this, () => this.dispatch));
  }

  /** Resolves when peers can reach this node. */
  async start(): Promise<void> {
    this.#discovery.start();
    this.followNodes();
    this.followEndpoints();
    await this.transport.start(this.dispatch);
    this.#timers = [
      setInterval(() => this.membership.tick(), STATUS_INTERVAL_MS),
      setInterval(() => {
        void this.identity.renewIfDue();
        // A write that failed is tried again.
        void this.identity.announce();
      }, RENEWAL_CHECK_MS),
    ];
    await this.identity.renewIfDue();
  }

  /** To be called when the configuration may be another; most times its nodes are not. */
  followNodes(): void {
    const { config } = this.#parts.plane;
    if (this.#followed?.nodes === config.nodes && this.#followed.removals === config.removals) return;
    this.#followed = config;
    const nodes = liveNodes(config);
    const { name, region } = this.#parts.files.settings;
    this.membership.setNodes(nodes);
    this.exchange.setNodes(nodes.some((node) => node.name === name) ? nodes : [...nodes, { name, region }]);
    this.transport.setPeers(
      nodes.map((node) => ({ name: node.name, addresses: node.addresses.map(splitAddress) })),
      this.identity.standing === 'unknown' ? 'admitted' : 'refused',
    );
    this.transport.useIdentity(this.identity.transportIdentity());
    void this.identity.announce();
  }

  /** To be called when the endpoints, or how they are checked, may be others. */
  followEndpoints(): void {
    this.exchange.setSources(this.#parts.health.sources());
  }

  /** What this node's own vantage has observed. */
  takeOwn(observations: readonly Observation[]): void {
    this.exchange.takeOwn(observations);
  }

  /** A verdict is in the table that queries read. */
  tellLive(key: string, verdict: Verdict): void {
    this.exchange.tellLive({ key, verdict, atMs: Date.now() });
  }

  /** What is wrong with the node's part in the cluster, and with its peers. */
  problems(): readonly Problem[] {
    return [...this.identity.problems(), ...memberProblems(this.membership.peers())];
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearInterval(timer);
    this.#discovery.close();
    await this.transport.close();
    this.sync.close();
    this.exchange.close();
  }

  #createMembership(): Membership {
    const { plane, files } = this.#parts;
    return new Membership({
      self: files.settings.name,
      own: () =>
        ownStatus(plane.serving(), this.identity.files, {
          startedAtMs: this.#startedAtMs,
          certificateExpiresAtMs: this.identity.certificateExpiresAtMs,
        }),
      behind: (peer) => this.#behind(peer),
      nowMs: () => Date.now(),
      steadyMs: () => performance.now(),
      onChange: () => plane.announce(),
    });
  }

  #createSync(): ClusterSync {
    const { store, plane, log } = this.#parts;
    const told = (what: string) => (error: unknown) => log.error({ err: error }, what);
    return new ClusterSync({
      store: turnedStore(store, plane),
      clock: processClock,
      publish: () => plane.adoptStored().catch(told('what peers wrote could not be published')),
      blobArrived: () => {
        plane.publishAll().catch(told('a zone whose file has come could not be published'));
      },
      refused: (refusal) => log.warn(refusal, 'something that a peer sent was not taken in'),
    });
  }

  #createExchange(): ObservationExchange {
    const { files, health, incidents } = this.#parts;
    return new ObservationExchange({
      node: files.settings.name,
      clock: exchangeClock,
      onObservations: (arrivals) => health.hear(arrivals),
      onSeats: (seats) => health.setSeats(seats),
      onLive: (node, news) => {
        for (const one of news) incidents.takeLive(node, one);
      },
    });
  }

  /** By the wall clock, from one that never goes back. */
  #behind(peer: string): { readonly documents: number; readonly sinceMs: number | undefined } {
    const behind = this.sync.behind().get(peer);
    if (behind === undefined) return { documents: 0, sinceMs: undefined };
    const { documents, sinceMs } = behind;
    if (sinceMs === undefined) return { documents, sinceMs };
    return { documents, sinceMs: Date.now() - (processClock.nowMs() - sinceMs) };
  }
}

function membersOf(plane: NodeControlPlane): MemberStore {
  return {
    get config() {
      return plane.config;
    },
    write: (changes, authorship) => plane.write(changes, authorship),
  };
}
