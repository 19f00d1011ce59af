import { describe, expect, it } from 'vitest';
import type { TrafficSettings } from '../src/settings/traffic-settings.ts';
import { parseSettings } from '../src/settings.ts';

type Environment = Readonly<Record<string, string>>;

function parse(argv: readonly string[], env: Environment = {}): TrafficSettings | string {
  const settings = parseSettings(argv, env, { hostname: 'host' });
  if (settings.ok) return settings.value.traffic;
  return settings.problems.map(({ code, path }) => `${code} ${path}`).join(', ');
}

const cases: readonly {
  name: string;
  given: readonly string[];
  env?: Environment;
  want: TrafficSettings | string;
}[] = [
  {
    name: 'figures from one query in 64, and no log, unless told',
    given: [],
    want: { sampleEvery: 64, queryLog: undefined, dnstapSocket: undefined },
  },
  {
    name: 'a log of every sampled query',
    given: ['--sample', '10', '--query-log', 'q.jsonl'],
    want: {
      sampleEvery: 10,
      queryLog: { file: 'q.jsonl', every: 10, clients: 'full' },
      dnstapSocket: undefined,
    },
  },
  {
    name: 'fewer in the log, and without addresses, from the environment',
    given: [],
    env: {
      MERIDIAN_SAMPLE: '1',
      MERIDIAN_QUERY_LOG: '-',
      MERIDIAN_QUERY_LOG_SAMPLE: '1000',
      MERIDIAN_QUERY_LOG_CLIENTS: 'prefix',
      MERIDIAN_DNSTAP: '/run/tap.sock',
    },
    want: {
      sampleEvery: 1,
      queryLog: { file: '-', every: 1000, clients: 'prefix' },
      dnstapSocket: '/run/tap.sock',
    },
  },
  {
    name: 'nothing sampled',
    given: ['--sample', '0'],
    want: { sampleEvery: 0, queryLog: undefined, dnstapSocket: undefined },
  },
  { name: 'no number', given: ['--sample', '1/64'], want: 'bad-sample --sample' },
  { name: 'a log of no queries', given: ['--query-log-sample', '0'], want: 'bad-sample --query-log-sample' },
  {
    name: 'more in the log than is sampled',
    given: ['--query-log', 'q', '--query-log-sample', '10'],
    want: 'bad-sample --query-log-sample',
  },
  {
    name: 'a log of nothing',
    given: ['--sample', '0', '--query-log', 'q'],
    want: 'nothing-sampled --query-log',
  },
  { name: 'a tap of nothing', given: ['--sample', '0', '--dnstap', 's'], want: 'nothing-sampled --dnstap' },
  {
    name: 'an unknown way to tell clients',
    given: ['--query-log-clients', 'none'],
    want: 'bad-query-log-clients --query-log-clients',
  },
];

describe('settings of what is looked at', () => {
  it.each(cases)('$name', ({ given, env, want }) => {
    expect(parse(given, env)).toEqual(want);
  });
});
