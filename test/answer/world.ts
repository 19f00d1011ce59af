import { createAnswerScratch, respond } from '../../src/answer/respond.ts';
import type { Problem } from '../../src/config/problem.ts';
import type { AllDown } from '../../src/config/resources/steered-name.ts';
import { parseAddress, parsePrefix } from '../../src/dns/address.ts';
import { decodeMessage, encodeQuery, type Message, type MessageRecord } from '../../src/dns/message.ts';
import { formatName, isSubdomain, parseName } from '../../src/dns/name.ts';
import { formatType, parseType } from '../../src/dns/type.ts';
import { parseZoneFile } from '../../src/dns/zone-file.ts';
import { openGeoTable } from '../../src/geo/table.ts';
import { GeoTableBuilder } from '../../src/geo/table-builder.ts';
import { compileZone } from '../../src/snapshot/compile-zone.ts';
import { openSnapshot, type Snapshot, type SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import {
  createVerdictTable,
  LAST_KNOWN_UP,
  VERDICT_DOWN,
  VERDICT_DRAINED,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from '../../src/snapshot/verdict-table.ts';
import type { EndpointSource, SteeredSource, ZoneSource } from '../../src/snapshot/zone-source.ts';
import { compileMap } from '../../src/steering/compile-map.ts';
import type { PolicyNode } from '../../src/steering/policy.ts';
import type { RandomSource } from '../../src/steering/program.ts';

/** Data centers of every world, by number. */
export const dataCenters = ['fra', 'nyc', 'sin'] as const;

/**
 * Where clients of a world are: 198.51.100.0/25 is nearest to fra and 198.51.100.128/25 to nyc, 2001:db8:1::/48 to sin.
 * 203.0.113.0/24 is sent to nobody. All others prefer sin.
 */
export const nearestByPrefix: PolicyNode = byPrefix(
  [
    ['198.51.100.0/25', ordered('fra', 'nyc', 'sin')],
    ['198.51.100.128/25', ordered('nyc', 'fra', 'sin')],
    ['192.0.2.0/24', ordered('fra')],
    ['203.0.113.0/24', byPrefix([['192.0.2.0/32', ordered('fra')]])],
    ['2001:db8:1::/48', ordered('nyc', 'sin')],
  ],
  ordered('sin', 'fra', 'nyc'),
);

/** A policy that picks by prefix; without `otherwise`, all others get nothing. */
export function byPrefix(
  rules: readonly (readonly [string, PolicyNode])[],
  otherwise?: PolicyNode,
): PolicyNode {
  const node = {
    kind: 'geo',
    rules: rules.map(([prefix, then]) => ({ match: { prefixes: [prefix] }, then })),
    ...(otherwise !== undefined && { otherwise }),
  };
  return node;
}

export function ordered(...names: readonly (typeof dataCenters)[number][]): PolicyNode {
  return { kind: 'order', dataCenters: names } as PolicyNode;
}

/** A steered name in short: its pool as `fra A 192.0.2.1 weight=3`, verdict slots counted through the world. */
export interface SteeredText {
  readonly name: string;
  readonly pool: readonly string[];
  readonly policy?: PolicyNode;
  readonly ttlSeconds?: number;
  readonly answers?: number;
  readonly allDown?: AllDown;
  readonly fallback?: readonly string[];
}

export interface WorldText {
  /** Zone files; each has its SOA, whose owner is the apex. */
  readonly zones: readonly string[];
  readonly steered?: readonly SteeredText[];
  readonly serverId?: string;
}

export interface World {
  readonly snapshot: Snapshot;
  readonly problems: readonly Problem[];
  /** Sets the verdict of an endpoint by its slot: the position of its line over all pools. */
  setVerdict(slot: number, verdict: Verdict): void;
}

export type Verdict = 'up' | 'down' | 'unknown' | 'drained' | 'last-known';

const verdictOctets: Readonly<Record<Verdict, number>> = {
  up: VERDICT_UP,
  down: VERDICT_DOWN,
  unknown: VERDICT_UNKNOWN,
  drained: VERDICT_DRAINED,
  'last-known': VERDICT_DOWN | LAST_KNOWN_UP,
};

/** Every endpoint is up. */
export function createWorld(text: WorldText): World {
  const { message, problems } = compileWorld(text);
  return {
    snapshot: openSnapshot(message),
    problems,
    setVerdict: (slot, verdict) => {
      message.verdicts[slot] = verdictOctets[verdict];
    },
  };
}

/** The same as it is sent to a worker. */
export function createWorldMessage(text: WorldText): SnapshotMessage {
  return compileWorld(text).message;
}

function compileWorld(text: WorldText): {
  readonly message: SnapshotMessage;
  readonly problems: readonly Problem[];
} {
  const verdicts = createVerdictTable();
  const policies: PolicyNode[] = [];
  let slots = 0;
  const steered = (text.steered ?? []).map((short): SteeredSource => {
    const endpoints = short.pool.map((line) => endpoint(line, slots++));
    policies.push(short.policy ?? nearestByPrefix);
    return {
      owner: name(short.name),
      ttlSeconds: short.ttlSeconds ?? 30,
      answers: short.answers ?? 1,
      allDown: short.allDown ?? 'fail-open',
      map: policies.length - 1,
      endpoints,
      fallback: (short.fallback ?? []).map(addressOctets),
    };
  });
  verdicts.fill(VERDICT_UP, 0, slots);
  const sources = text.zones.map(zoneSource);
  const zones = sources.map((source) => {
    const mine = steered.filter(({ owner }) => closest(sources, owner) === source);
    return compileZone({ ...source, steeredNames: mine });
  });
  const message: SnapshotMessage = {
    generation: 1,
    zones: zones.map((zone) => zone.image),
    maps: policies.map((policy) => compileMap({ policy, candidates }, emptyTable)),
    verdicts,
    serverId: new TextEncoder().encode(text.serverId ?? ''),
  };
  return { message, problems: zones.flatMap((zone) => zone.problems) };
}

const candidates = dataCenters.map((dataCenter, index) => ({
  index,
  name: dataCenter,
  latitude: 0,
  longitude: 0,
}));

const emptyTable = openGeoTable(
  new GeoTableBuilder().build({
    name: 'empty',
    builtAt: '2026-01-01T00:00:00Z',
    attribution: '',
    attributionUrl: '',
    digest: '',
  }),
);

function closest(sources: readonly ZoneSource[], owner: Uint8Array): ZoneSource | undefined {
  return sources
    .filter(({ apex }) => isSubdomain(owner, apex))
    .sort((a, b) => b.apex.length - a.apex.length)[0];
}

/** Parses a zone file; what is wrong with the zone as a whole is left to the compiler. */
export function zoneSource(text: string): ZoneSource {
  const { rrsets, apex, problems } = parseZoneFile({
    file: 'zone',
    text,
    origin: undefined,
    include: () => ({ code: 'no-include', path: '', message: 'There are no includes here.' }),
  });
  const syntax = problems.filter(({ code }) => code.startsWith('bad-'));
  if (syntax.length > 0)
    throw new Error(syntax.map(({ message, source }) => `${source?.line}: ${message}`).join('\n'));
  return { apex: apex ?? name('example.org.'), rrsets, steeredNames: [] };
}

function endpoint(line: string, slot: number): EndpointSource {
  const [dataCenter = '', type = '', value = '', weight = 'weight=1'] = line.split(' ');
  const number = dataCenters.indexOf(dataCenter as (typeof dataCenters)[number]);
  const rest = { slot, dataCenter: number, weight: Number(weight.slice('weight='.length)) };
  if (type === 'CNAME') return { ...rest, type: 5, rdata: name(value) };
  return { ...rest, type: type === 'A' ? 1 : 28, rdata: addressOctets(value) };
}

export function addressOctets(text: string): Uint8Array {
  const address = parseAddress(text);
  if (address === undefined) throw new Error(`${text} is no address`);
  return address.octets;
}

export function name(text: string): Uint8Array {
  const parsed = parseName(text);
  if (!parsed.ok) throw new Error(parsed.problems[0]?.message);
  return parsed.value;
}

/** Always the same draws; a test that depends on draws says its own. */
export function seededRandom(seed = 1): RandomSource {
  let state = seed;
  return {
    nextUint32: () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state >>> 0;
    },
  };
}

export const scratch = createAnswerScratch(seededRandom());

/** A reusable response buffer that shows when something is left from an earlier answer. */
const responseBuffer = new Uint8Array(65_535);

/** Octets of the answer to a packet; empty where nothing is sent. */
export function answerPacket(world: World, packet: Uint8Array, options: PacketOptions = {}): Uint8Array {
  responseBuffer.fill(0xee);
  const octets = addressOctets(options.resolver ?? '198.51.100.1');
  const family = octets.length === 4 ? 4 : 6;
  const transport = options.transport ?? 'udp';
  const length = respond(
    scratch,
    world.snapshot,
    packet,
    packet.length,
    { family, octets },
    transport,
    responseBuffer,
  );
  return responseBuffer.slice(0, length);
}

export interface PacketOptions {
  readonly resolver?: string;
  readonly transport?: 'udp' | 'tcp';
}

/**
 * Asks as dig is told to: `www.example.org A +subnet=192.0.2.0/24 +tcp +bufsize=1232 +edns +do +nsid +norec
 * @203.0.113.5`, where the address behind the at sign is the resolver's. Returns the decoded answer.
 */
export function dig(world: World, line: string): Message {
  const { packet, options } = digPacket(line);
  const decoded = decodeMessage(answerPacket(world, packet, options));
  if (!decoded.ok) throw new Error(decoded.problems[0]?.message);
  return decoded.value;
}

export function digPacket(line: string): { readonly packet: Uint8Array; readonly options: PacketOptions } {
  const [owner = '', type = '', ...flags] = line.split(' ');
  const value = (flag: string): string | undefined =>
    flags.find((given) => given.startsWith(`+${flag}=`))?.slice(flag.length + 2);
  const subnet = parsePrefix(value('subnet') ?? '');
  const edns = flags.some((flag) => /^\+(subnet|bufsize|edns|do|nsid)/.test(flag));
  const packet = encodeQuery({
    name: name(owner),
    type: parseType(type) ?? 0,
    id: 0x1234,
    recursionDesired: !flags.includes('+norec'),
    ...(edns && {
      edns: {
        payloadSize: Number(value('bufsize') ?? 1232),
        dnssecOk: flags.includes('+do'),
        nsid: flags.includes('+nsid'),
        ...(subnet !== undefined && {
          clientSubnet: { family: subnet.family, octets: subnet.octets, sourcePrefixLength: subnet.length },
        }),
      },
    }),
  });
  const resolver = flags.find((flag) => flag.startsWith('@'))?.slice(1);
  return {
    packet,
    options: {
      transport: flags.includes('+tcp') ? 'tcp' : 'udp',
      ...(resolver !== undefined && { resolver }),
    },
  };
}

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];

/** An answer as lines: `NOERROR aa`, `an owner ttl type rdata`, `ns …`, `ad …`, `scope /24`. */
export function tell(message: Message): string[] {
  const { rcode, edns } = message;
  const flags = [message.authoritative && 'aa', message.truncated && 'tc'].filter((flag) => flag !== false);
  const lines = [[rcodes[rcode] ?? `RCODE${rcode}`, ...flags].join(' ')];
  for (const record of message.answers) lines.push(`an ${tellRecord(record)}`);
  for (const record of message.authorities) lines.push(`ns ${tellRecord(record)}`);
  for (const record of message.additionals) lines.push(`ad ${tellRecord(record)}`);
  if (edns?.clientSubnet !== undefined) lines.push(`scope /${edns.clientSubnet.scopePrefixLength}`);
  return lines;
}

function tellRecord({ owner, ttlSeconds, type, text }: MessageRecord): string {
  return `${formatName(owner)} ${ttlSeconds} ${formatType(type)} ${text}`;
}

/** Asks and tells. */
export function ask(world: World, line: string): string[] {
  return tell(dig(world, line));
}
