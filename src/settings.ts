import { type Parsed, type Problem, parsed } from './config/problem.ts';
import { type Flag, flagsUsage, readArguments, strayWord } from './flags.ts';
import type { LogLevel } from './observe/log-level.ts';
import type { ListenAddress } from './server/listen-address.ts';
import {
  type ConfigurationSource,
  configurationFlags,
  parseConfigurationSource,
} from './settings/configuration-source.ts';
import { allowExecFlag, parseExecDirectory } from './settings/exec-directory.ts';
import { allTexts, type GivenSettings, oneText } from './settings/given-settings.ts';
import {
  type HistorySettings,
  historyFlags,
  NO_HISTORY,
  parseHistorySettings,
} from './settings/history-settings.ts';
import {
  isLoopback,
  listenFlags,
  parseApiAddresses,
  parseDnsAddresses,
} from './settings/listen-addresses.ts';
import { logLevelFlag, parseLogLevel } from './settings/log-settings.ts';
import { measurementClientFlag, parseMeasurementClientHeader } from './settings/measurement-client.ts';
import { nodeIdFlag, parseNodeId } from './settings/node-id.ts';
import { protectionFlag } from './settings/protection-file.ts';
import { parseRegion, regionFlag } from './settings/region.ts';
import { parseStart, parseTakeoverTimeout, takeoverFlags } from './settings/takeover-settings.ts';
import { parseTokenSource, type TokenSource, tokenFlags, tokenNeeded } from './settings/token-source.ts';
import { parseTrafficSettings, type TrafficSettings, trafficFlags } from './settings/traffic-settings.ts';
import {
  parseDnsWorkers,
  parseSocketKind,
  type SocketKind,
  transportFlags,
} from './settings/transport-settings.ts';

/**
 * This node's own settings; everything else is configuration, which the store holds.
 * Nothing here may import a library: DNS is answered from disk as soon as these are known.
 */
export interface Settings {
  readonly configuration: ConfigurationSource;
  readonly dataDirectory: string;
  readonly dns: readonly ListenAddress[];
  readonly api: readonly ListenAddress[];
  /** True when some address of the API is not loopback; a token is then configured, too. */
  readonly apiBeyondLoopback: boolean;
  readonly token: TokenSource;
  /** mmdb files instead of the shipped table; empty for the shipped table. */
  readonly geoFiles: readonly string[];
  /** RFC 5001 name server identifier, at most 64 octets of UTF-8; empty for none. */
  readonly nodeId: string;
  /** Where this node stands, for quorums that weigh regions; empty where it was not told. */
  readonly region: string;
  /** Cookies, rate limit and access list; undefined for the defaults. */
  readonly protectionFile: string | undefined;
  /** Absolute path of the directory whose programs monitors may run; undefined for none. */
  readonly execDirectory: string | undefined;
  /** In lower case: by which header a proxy names the sender of measurements; undefined for none. */
  readonly measurementClientHeader: string | undefined;
  readonly sockets: SocketKind;
  /** Threads that answer over UDP; undefined for one per core. */
  readonly dnsWorkers: number | undefined;
  /** `takeover` goes on from the node that has the data directory, which then leaves. */
  readonly start: 'alone' | 'takeover';
  /** How long a successor may take to get ready. */
  readonly takeoverTimeoutMs: number;
  readonly traffic: TrafficSettings;
  /** How much of the history of incidents and alerts stays. */
  readonly history: HistorySettings;
  readonly logLevel: LogLevel;
}

const dataFlag: Flag = {
  name: 'data',
  value: 'DIR',
  variable: 'MERIDIAN_DATA',
  summary: 'Where this node keeps its data. Default: ./data',
};

const geoFlag: Flag = {
  name: 'geo',
  value: 'FILE',
  variable: 'MERIDIAN_GEO',
  summary: 'An mmdb file instead of the shipped geo table; repeat it to join several (city and ASN).',
};

const serveFlags: readonly Flag[] = [
  ...configurationFlags,
  dataFlag,
  ...listenFlags,
  ...tokenFlags,
  geoFlag,
  nodeIdFlag,
  regionFlag,
  protectionFlag,
  allowExecFlag,
  measurementClientFlag,
  ...transportFlags,
  ...trafficFlags,
  ...historyFlags,
  logLevelFlag,
  ...takeoverFlags,
];

/** Explains every flag. An IPv6 address stands in brackets. */
export function usage(): string {
  return `${flagsUsage(serveFlags)}\n\nAn IPv6 address stands in brackets: [::1]:53. A flag outranks its variable.`;
}

/** Flags outrank the environment, the environment outranks defaults. All problems come at once. */
export function parseSettings(
  argv: readonly string[],
  env: GivenSettings['env'],
  host: { readonly hostname: string },
): Parsed<Settings> {
  const flags = readArguments(argv, serveFlags);
  const given: GivenSettings = { flags, env };
  const problems: Problem[] = [...flags.problems, ...flags.words.map(strayWord)];
  const keep = <T>(result: Parsed<T>, otherwise: T): T => {
    if (result.ok) return result.value;
    problems.push(...result.problems);
    return otherwise;
  };
  const dns = keep(parseDnsAddresses(given), []);
  const api = keep(parseApiAddresses(given), []);
  const token = keep(parseTokenSource(given), { kind: 'none' });
  const apiBeyondLoopback = !api.every(isLoopback);
  if (apiBeyondLoopback && token.kind === 'none' && !problems.some(({ path }) => path.includes('TOKEN')))
    problems.push(tokenNeeded(api));
  const settings: Settings = {
    configuration: keep(parseConfigurationSource(given), { kind: 'none' }),
    dataDirectory: keep(oneText(dataFlag, given), undefined) ?? './data',
    dns,
    api,
    apiBeyondLoopback,
    token,
    // Only the variable is split at commas: a file name may hold one.
    geoFiles: allTexts(geoFlag, given, 'keep flags', '').map(({ text }) => text),
    nodeId: keep(parseNodeId(given, host.hostname), ''),
    region: keep(parseRegion(given), ''),
    protectionFile: keep(oneText(protectionFlag, given), undefined),
    execDirectory: keep(parseExecDirectory(given), undefined),
    measurementClientHeader: keep(parseMeasurementClientHeader(given), undefined),
    sockets: keep(parseSocketKind(given), 'auto'),
    dnsWorkers: keep(parseDnsWorkers(given), undefined),
    start: parseStart(given),
    takeoverTimeoutMs: keep(parseTakeoverTimeout(given), 0),
    traffic: keep(parseTrafficSettings(given), {
      sampleEvery: 0,
      queryLog: undefined,
      dnstapSocket: undefined,
    }),
    history: keep(parseHistorySettings(given), NO_HISTORY),
    logLevel: keep(parseLogLevel(given), 'info'),
  };
  return problems.length === 0 ? parsed(settings) : { ok: false, problems };
}
