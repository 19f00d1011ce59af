import { createAnswerScratch, respond } from '../../src/answer/respond.ts';
import { decodeMessage, encodeQuery, type Message } from '../../src/dns/message.ts';
import { parseType } from '../../src/dns/type.ts';
import type { ProtectionMessage } from '../../src/protection/protection.ts';
import { createLimiterTable } from '../../src/protection/rate-limit.ts';
import {
  compileProtection,
  defaultProtection,
  type ProtectionSettings,
} from '../../src/protection/settings.ts';
import { openSnapshot, type SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import { addressOctets, name, seededRandom, tell } from '../answer/world.ts';

const OPTION_COOKIE = 10;

/** Protection as a file would give it, with keys that are always the same. */
export function protectionOf(settings: Partial<ProtectionSettings>): ProtectionMessage {
  return compileProtection(
    { ...defaultProtection, ...settings },
    {
      cookieSecrets: [Uint8Array.from({ length: 16 }, (_, octet) => octet)],
      limiterKey: Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1),
      limiterTable: createLimiterTable,
    },
  );
}

/** A rate limit with the defaults of a file. */
export function limitOf(
  changes: Partial<NonNullable<ProtectionSettings['rateLimit']>> = {},
): NonNullable<ProtectionSettings['rateLimit']> {
  return {
    responsesPerSecond: 2,
    windowSeconds: 15,
    slip: 2,
    ipv4PrefixLength: 24,
    ipv6PrefixLength: 56,
    exempt: [],
    ...changes,
  };
}

export interface Asking {
  readonly from?: string;
  /** Hex of the COOKIE option; without it there is none. */
  readonly cookie?: string;
  readonly edns?: 'yes';
  readonly transport?: 'udp' | 'tcp';
}

export interface Answered {
  readonly message: Message | undefined;
  readonly octets: number;
  /** Hex of the COOKIE option, empty for none. */
  readonly cookie: string;
}

/** One worker with a clock of its own, in seconds. */
export class Guarded {
  readonly scratch = createAnswerScratch(seededRandom());
  readonly #snapshot;
  readonly #response = new Uint8Array(65_535);

  constructor(world: SnapshotMessage, settings: Partial<ProtectionSettings>) {
    this.#snapshot = openSnapshot({ ...world, protection: protectionOf(settings) });
    this.scratch.nowSeconds = 1_767_225_600;
  }

  pass(seconds: number): void {
    this.scratch.nowSeconds += seconds;
  }

  ask(question: string, asking: Asking = {}): Answered {
    return this.send(packetOf(question, asking), asking);
  }

  send(packet: Uint8Array, { from = '192.0.2.77', transport = 'udp' }: Asking): Answered {
    const octets = addressOctets(from);
    const client = { family: octets.length === 4 ? (4 as const) : (6 as const), octets, port: 53_000 };
    // In place, as batches are answered.
    this.#response.set(packet);
    const length = respond(
      this.scratch,
      this.#snapshot,
      this.#response,
      packet.length,
      client,
      transport,
      this.#response,
    );
    const decoded = length === 0 ? undefined : decodeMessage(this.#response.slice(0, length));
    if (decoded?.ok === false) throw new Error(decoded.problems[0]?.message);
    const message = decoded?.value;
    const option = message?.edns?.options.find(({ code }) => code === OPTION_COOKIE);
    return { message, octets: length, cookie: Buffer.from(option?.octets ?? []).toString('hex') };
  }
}

/** An answer in a word or two: `drop`, `tc`, `BADCOOKIE`, or its rcode and how many records it has. */
export function brief({ message }: Answered): string {
  if (message === undefined) return 'drop';
  if (message.truncated) return 'tc';
  const [first = ''] = tell(message);
  const rcode = (first.split(' ')[0] ?? '').replace('RCODE23', 'BADCOOKIE');
  return message.answers.length === 0 ? rcode : `${rcode} ${message.answers.length}`;
}

/** `www.example.org A`; an empty question has none at all. */
export function packetOf(question: string, { cookie, edns }: Asking): Uint8Array {
  const [owner = '', type = 'A'] = question.split(' ');
  const draft = {
    name: name(owner === '' ? '.' : owner),
    type: parseType(type) ?? 0,
    id: 0x1234,
    recursionDesired: false,
  };
  const withEdns = cookie !== undefined || edns === 'yes';
  const plain = encodeQuery({ ...draft, ...(withEdns && { edns: { payloadSize: 1232, dnssecOk: false } }) });
  const packet = cookie === undefined ? plain : withOption(plain, OPTION_COOKIE, Buffer.from(cookie, 'hex'));
  if (question !== '') return packet;
  // The root's question has five octets.
  const without = Uint8Array.of(...packet.subarray(0, 12), ...packet.subarray(17));
  without[5] = 0;
  return without;
}

/** The packet, whose OPT is its end, with one more option. */
export function withOption(packet: Uint8Array, code: number, value: Uint8Array): Uint8Array {
  // Our encoder ends with the OPT's rdlength and its options, of which these packets have none.
  const octets = [...packet, 0, code, value.length >> 8, value.length & 0xff, ...value];
  const rdlengthAt = packet.length - 2;
  const rdlength = 4 + value.length;
  octets[rdlengthAt] = rdlength >> 8;
  octets[rdlengthAt + 1] = rdlength & 0xff;
  return Uint8Array.from(octets);
}
