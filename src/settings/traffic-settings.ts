import { didYouMean } from '../config/did-you-mean.ts';
import { type Parsed, type Problem, parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

/** How a query log tells clients: their whole address, or its /24 or /48. */
const loggedClients = ['full', 'prefix'] as const;

/** What of the traffic is looked at, and where that goes. */
export interface TrafficSettings {
  /** At most one query of so many is sampled, on average; 0 for none. */
  readonly sampleEvery: number;
  readonly queryLog: QueryLogSettings | undefined;
  /** Path of a dnstap collector's unix socket. */
  readonly dnstapSocket: string | undefined;
}

export interface QueryLogSettings {
  /** `-` for standard output. */
  readonly file: string;
  /** One query of so many is logged; no fewer than are sampled. */
  readonly every: number;
  readonly clients: (typeof loggedClients)[number];
}

/** An error of 2 % on what a node at 10,000 queries a second answers in a minute, for less than a percent of its time. */
const DEFAULT_SAMPLE_EVERY = 64;
/** One query in a billion is none. */
const MAX_SAMPLE_EVERY = 1_000_000_000;

const sampleFlag: Flag = {
  name: 'sample',
  value: 'N',
  variable: 'MERIDIAN_SAMPLE',
  summary: `Look at one query in N for traffic figures, query log and dnstap; 0 looks at none. Default: ${DEFAULT_SAMPLE_EVERY}`,
};

const queryLogFlag: Flag = {
  name: 'query-log',
  value: 'FILE',
  variable: 'MERIDIAN_QUERY_LOG',
  summary:
    'Log sampled queries as JSON lines; "-" is standard output. The file turns over at 100 MiB, four older ones stay.',
};

const queryLogSampleFlag: Flag = {
  name: 'query-log-sample',
  value: 'N',
  variable: 'MERIDIAN_QUERY_LOG_SAMPLE',
  summary: 'Log one query in N, N being no less than that of --sample. Default: every sampled query',
};

const queryLogClientsFlag: Flag = {
  name: 'query-log-clients',
  value: 'HOW',
  variable: 'MERIDIAN_QUERY_LOG_CLIENTS',
  summary:
    'Log addresses "full", or as "prefix": their /24 or /48, without the port. dnstap is always full. Default: full',
};

const dnstapFlag: Flag = {
  name: 'dnstap',
  value: 'SOCKET',
  variable: 'MERIDIAN_DNSTAP',
  summary: 'Send sampled queries and answers as dnstap to the collector at this unix socket.',
};

export const trafficFlags: readonly Flag[] = [
  sampleFlag,
  queryLogFlag,
  queryLogSampleFlag,
  queryLogClientsFlag,
  dnstapFlag,
];

/** All problems come at once. */
export function parseTrafficSettings(given: GivenSettings): Parsed<TrafficSettings> {
  const problems: Problem[] = [];
  const keep = <T>(result: Parsed<T>, otherwise: T): T => {
    if (result.ok) return result.value;
    problems.push(...result.problems);
    return otherwise;
  };
  const sampleEvery = keep(parseEvery(sampleFlag, given, 0), undefined) ?? DEFAULT_SAMPLE_EVERY;
  const logEvery = keep(parseEvery(queryLogSampleFlag, given, 1), undefined) ?? sampleEvery;
  const clients = keep(parseLoggedClients(given), 'full');
  const file = keep(oneText(queryLogFlag, given), undefined);
  const dnstapSocket = keep(oneText(dnstapFlag, given), undefined);
  if (logEvery < sampleEvery) problems.push(tooMany(logEvery, sampleEvery));
  if (sampleEvery === 0 && (file ?? dnstapSocket) !== undefined)
    problems.push(nothingSampled(file === undefined ? dnstapFlag : queryLogFlag));
  if (problems.length > 0) return { ok: false, problems };
  const queryLog = file === undefined ? undefined : { file, every: logEvery, clients };
  return parsed({ sampleEvery, queryLog, dnstapSocket });
}

function parseEvery(flag: Flag, given: GivenSettings, least: 0 | 1): Parsed<number | undefined> {
  const chosen = oneText(flag, given);
  if (!chosen.ok || chosen.value === undefined) return chosen.ok ? parsed(undefined) : chosen;
  const every = /^\d{1,10}$/.test(chosen.value) ? Number(chosen.value) : -1;
  if (every >= least && every <= MAX_SAMPLE_EVERY) return parsed(every);
  const path = `--${flag.name}`;
  const message = `${path}: "${chosen.value}" is not a whole number from ${least} to ${MAX_SAMPLE_EVERY}.`;
  return refused('bad-sample', path, message);
}

function parseLoggedClients(given: GivenSettings): Parsed<QueryLogSettings['clients']> {
  const chosen = oneText(queryLogClientsFlag, given);
  if (!chosen.ok) return chosen;
  const clients = loggedClients.find((known) => known === (chosen.value ?? 'full'));
  if (clients !== undefined) return parsed(clients);
  const path = `--${queryLogClientsFlag.name}`;
  const hint = didYouMean(chosen.value ?? '', loggedClients) || ` Use one of ${loggedClients.join(', ')}.`;
  return refused('bad-query-log-clients', path, `${path}: "${chosen.value}" is not known.${hint}`);
}

function tooMany(logEvery: number, sampleEvery: number): Problem {
  const path = `--${queryLogSampleFlag.name}`;
  return {
    code: 'bad-sample',
    path,
    message: `${path}: one query in ${logEvery} cannot be logged while one in ${sampleEvery} is sampled; set --sample to ${logEvery} or less.`,
  };
}

function nothingSampled({ name }: Flag): Problem {
  return {
    code: 'nothing-sampled',
    path: `--${name}`,
    message: `--${name} has nothing to tell with --sample 0; leave --sample out, or set it to 1 or more.`,
  };
}
