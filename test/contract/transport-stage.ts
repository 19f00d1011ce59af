import { pino } from 'pino';
import type { ProtocolRange } from '../../src/cluster/transport/hello.ts';
import type { TransportLimits } from '../../src/cluster/transport/limits.ts';
import type {
  PeerSession,
  PeerSpec,
  RefusalReason,
  Transport,
  TransportIdentity,
  TransportListener,
} from '../../src/cluster/transport/transport.ts';
import { eventually } from '../until.ts';

export interface NodeSpec {
  readonly identity: TransportIdentity;
  readonly limits?: Partial<TransportLimits>;
  readonly protocol?: ProtocolRange;
  readonly version?: string;
}

/** One kind of transport, with what it needs to be tried: the suite knows nothing else of it. */
export interface TransportStage {
  /** A node whose every connection passes a link that can be cut. */
  start(spec: NodeSpec): Promise<StagedNode>;
  /** How others reach that node. */
  specOf(node: StagedNode): PeerSpec;
  /** The connections that the node has fall silent for good, as when its machine loses power; new ones pass. */
  freeze(node: StagedNode): void;
  /** Someone without a certificate sends what is no message, in several ways. */
  sendGarbage(to: StagedNode): Promise<void>;
  close(): Promise<void>;
}

/** What the stages of one suite share. */
export interface TransportGround {
  open(): TransportStage;
  close(): Promise<void>;
}

export interface StagedLink {
  cut(): void;
  heal(): void;
  reset(): void;
}

/** A node that writes down what its transport tells. */
export class StagedNode implements TransportListener {
  readonly name: string;
  readonly transport: Transport;
  readonly link: StagedLink;
  readonly sessions = new Map<string, PeerSession>();
  readonly frames: { readonly peer: string; readonly octets: Uint8Array }[] = [];
  readonly events: string[] = [];
  drains = 0;
  /** What a frame sets off, when a test wants more than to have it written down. */
  react: (session: PeerSession, frame: Uint8Array) => void = (session, octets) =>
    this.frames.push({ peer: session.peer, octets });

  constructor(name: string, transport: Transport, link: StagedLink) {
    this.name = name;
    this.transport = transport;
    this.link = link;
  }

  onUp(session: PeerSession): void {
    if (this.sessions.has(session.peer)) this.events.push(`second session with ${session.peer}`);
    this.sessions.set(session.peer, session);
    this.events.push(`up ${session.peer}`);
  }

  onFrame(session: PeerSession, frame: Uint8Array): void {
    this.react(session, frame);
  }

  onDrain(): void {
    this.drains += 1;
  }

  onDown(session: PeerSession, reason: string): void {
    this.sessions.delete(session.peer);
    this.events.push(`down ${session.peer}: ${reason}`);
  }

  /** The session with that peer, once it is up. */
  async session(peer: string): Promise<PeerSession> {
    return eventually(async () => this.sessions.get(peer), {
      withinMs: 20_000,
      what: `${this.name} sees ${peer}`,
    });
  }

  async sees(what: string, condition: () => boolean): Promise<void> {
    await eventually(async () => (condition() ? true : undefined), { withinMs: 20_000, what });
  }

  refused(reason: RefusalReason): number {
    return this.transport.counters().refused[reason];
  }
}

/** All of them are peers of each other. */
export function introduce(stage: TransportStage, nodes: readonly StagedNode[]): void {
  for (const node of nodes)
    node.transport.setPeers(nodes.filter((other) => other !== node).map((other) => stage.specOf(other)));
}

export const silentLog = pino({ level: process.env.MERIDIAN_TEST_LOG ?? 'silent' });
