import { performance } from 'node:perf_hooks';
import { z } from 'zod';
import { loadNative } from '../../server/native.ts';
import type { NativePing } from '../../server/native-ping.ts';
import { type EchoSocket, forbiddenReason, NONCE_OCTETS, openEchoSocket } from '../echo-socket.ts';
import type { ProbeKind } from '../probe.ts';
import { type ProbeRun, runProbe } from '../probe-run.ts';

/** More say nothing that the next run does not. */
const MAX_ECHOES = 5;

/** What `ping` sends. */
const DEFAULT_PAYLOAD_OCTETS = 56;
/** Passes almost any path in one piece. */
const MAX_PAYLOAD_OCTETS = 1400;

/** From one echo to the next; less where the timeout is short, so that all are sent in its first half. */
const ECHO_GAP_MS = 200;

/** When some echoes are answered and that is enough, the others are given the slowest one's time so often over. */
const LATE_FACTOR = 3;
const LATE_MIN_MS = 50;
/** And never more of what is left of the timeout than this. */
const LATE_SHARE = 0.8;

/** Messages that answer nothing, or the same again, before the run gives up on the peer. */
const MAX_STRAYS = 1000;

const icmpSettings = z.strictObject({
  /** Echo requests in one run. */
  count: z.int().min(1).max(MAX_ECHOES).default(1),
  /** How many of them must be answered. */
  answered: z.enum(['any', 'all']).default('any'),
  /** Octets behind the ICMP header. */
  payloadOctets: z.int().min(NONCE_OCTETS).max(MAX_PAYLOAD_OCTETS).default(DEFAULT_PAYLOAD_OCTETS),
});

type IcmpSettings = Readonly<z.infer<typeof icmpSettings>>;

/** Loads the addon; one instance serves every run of a thread. */
type LoadPing = () => { readonly native: NativePing } | { readonly reason: string };

export const icmpProbe: ProbeKind<IcmpSettings> = createIcmpProbe(loadNative);

/** The kind with an addon of the caller's choice. */
export function createIcmpProbe(load: LoadPing): ProbeKind<IcmpSettings> {
  let loaded: ReturnType<LoadPing> | undefined;
  return {
    kind: 'icmp',
    summary:
      'Sends ICMP echo requests and counts the replies; needs the addon, and a ping socket or CAP_NET_RAW.',
    settings: icmpSettings,
    run: (target, settings, stopped) =>
      runProbe({ ...target, port: undefined }, stopped, (run) => {
        loaded ??= load();
        if ('reason' in loaded) {
          run.fail('internal-error', `ICMP needs the addon, which could not be loaded (${loaded.reason})`);
          return;
        }
        const exchange = new EchoExchange(run, settings, target.timeoutMs);
        try {
          openEchoSocket(run, target, loaded.native, settings.payloadOctets, {
            onConnected: (socket) => exchange.start(socket),
            onAnswered: (sequence) => exchange.answered(sequence),
            onStray: () => exchange.stray(),
          });
        } catch (error) {
          const forbidden = forbiddenReason(error);
          if (forbidden === undefined) throw error;
          run.fail('internal-error', forbidden);
        }
      }),
  };
}

/** The echoes of one run: sequence numbers count from 0. */
class EchoExchange {
  readonly #run: ProbeRun;
  readonly #settings: IcmpSettings;
  readonly #timeoutMs: number;
  readonly #sentAtMs: number[] = [];
  /** Milliseconds by sequence number; undefined while there is no reply. */
  readonly #roundTripsMs: (number | undefined)[] = [];
  #strays = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(run: ProbeRun, settings: IcmpSettings, timeoutMs: number) {
    this.#run = run;
    this.#settings = settings;
    this.#timeoutMs = timeoutMs;
    run.hold({ destroy: () => clearTimeout(this.#timer) });
  }

  start(socket: EchoSocket): void {
    const { count } = this.#settings;
    this.#sentAtMs.push(performance.now());
    this.#tell();
    socket.send(this.#sentAtMs.length - 1);
    if (this.#run.decided) return;
    if (this.#sentAtMs.length === count) {
      this.#allSent();
    } else {
      const gapMs = Math.min(ECHO_GAP_MS, this.#timeoutMs / (2 * count));
      this.#timer = setTimeout(() => this.start(socket), gapMs);
    }
  }

  answered(sequence: number): void {
    const sentAtMs = this.#sentAtMs[sequence];
    if (sentAtMs === undefined || this.#roundTripsMs[sequence] !== undefined) {
      this.stray();
      return;
    }
    this.#roundTripsMs[sequence] = performance.now() - sentAtMs;
    this.#tell();
    const { count } = this.#settings;
    if (this.#known().length === count) this.#pass();
    else if (this.#sentAtMs.length === count) this.#allSent();
  }

  stray(): void {
    this.#strays += 1;
    if (this.#strays >= MAX_STRAYS)
      this.#run.fail('malformed-response', `${MAX_STRAYS} messages that answer no echo of this run`);
  }

  /** Some replies are enough, but the others get a while, so that the loss that is told is one. */
  #allSent(): void {
    const known = this.#known();
    if (this.#settings.answered === 'all' || known.length === 0) return;
    const leftMs = Math.max(0, this.#timeoutMs - this.#run.elapsedMs());
    const waitMs = Math.min(LATE_MIN_MS + LATE_FACTOR * Math.max(...known), leftMs * LATE_SHARE);
    clearTimeout(this.#timer);
    // Timers run before sockets are looked at; what came while this node stood still counts.
    this.#timer = setTimeout(() => setImmediate(() => this.#pass()), waitMs);
  }

  #pass(): void {
    this.#run.pass(`${this.#known().length} of ${this.#sentAtMs.length} echoes answered`);
  }

  #known(): readonly number[] {
    return this.#roundTripsMs.filter((roundTripMs) => roundTripMs !== undefined);
  }

  /** Keeps stage and evidence as they would be told if time ran out now. */
  #tell(): void {
    const known = this.#known();
    const sent = this.#sentAtMs.length;
    const { evidence } = this.#run;
    this.#run.stage = `waiting for echo replies (${known.length} of ${sent} came)`;
    evidence.echoesSent = sent;
    evidence.echoesAnswered = known.length;
    evidence.lossPercent = Math.round((100 * (sent - known.length)) / sent);
    if (known.length === 0) return;
    evidence.roundTripMinMs = tenth(Math.min(...known));
    evidence.roundTripMeanMs = tenth(known.reduce((sum, roundTripMs) => sum + roundTripMs, 0) / known.length);
    evidence.roundTripMaxMs = tenth(Math.max(...known));
  }
}

function tenth(ms: number): number {
  return Math.round(ms * 10) / 10;
}
