import { describe, expect, it } from 'vitest';
import { failoverSeconds, type Incident, timelineOf } from '../../../src/health/incidents/incident.ts';
import type { TimelineEndpoint } from '../../../src/health/incidents/loss-watch.ts';
import {
  createTimeline,
  type IncidentNews,
  MAX_MEMBERS,
  type Timeline,
  type VerdictEvent,
} from '../../../src/health/incidents/timeline.ts';
import { answering, change, failing, T0 } from './incident-observations.ts';

/** `pool/endpoint@dataCenter`, up unless told. */
function endpoints(text: string): TimelineEndpoint[] {
  return text.split(' ').map((word) => {
    const [, pool = '', endpoint = '', dataCenter = '', verdict = 'up'] =
      /^(\w+)\/([\w-]+)@(\w+)(?:=(\w+))?$/.exec(word) ?? [];
    return {
      key: `${pool}/${endpoint}`,
      pool,
      endpoint,
      dataCenter,
      verdict: verdict as TimelineEndpoint['verdict'],
    };
  });
}

const ttls: Readonly<Record<string, number>> = { web: 30, api: 300 };

function timelineOn(text: string): Timeline {
  const timeline = createTimeline('ams1');
  timeline.follow(endpoints(text), (pool) => ttls[pool] ?? 0, T0);
  return timeline;
}

function say({ what, incident }: IncidentNews): string {
  return `${what} ${incident.kind === 'endpoint' ? incident.endpoint : incident.dataCenter} ${incident.severity}`;
}

function run(timeline: Timeline, events: readonly VerdictEvent[]): string[] {
  return events.flatMap((event) => timeline.take(event).map(say));
}

function first(news: readonly IncidentNews[]): Incident {
  const incident = news[0]?.incident;
  if (incident === undefined) throw new Error('no incident');
  return incident;
}

describe('incidents', () => {
  const cases: readonly {
    readonly name: string;
    readonly given: string;
    readonly events: readonly VerdictEvent[];
    readonly want: readonly string[];
  }[] = [
    {
      name: 'open when an endpoint falls and close when it is back',
      given: 'web/a@fra web/b@fra',
      events: [change('web/a', 'down', 0), change('web/a', 'up', 9)],
      want: ['opened a warning', 'closed a warning'],
    },
    {
      name: 'are none where something is up that was unknown',
      given: 'web/a@fra=unknown',
      events: [change('web/a', 'up', 0, [], 'unknown')],
      want: [],
    },
    {
      name: 'are one while an endpoint is out, whatever its verdict',
      given: 'web/a@fra web/b@fra',
      events: [
        change('web/a', 'drained', 0),
        change('web/a', 'down', 1, [], 'drained'),
        change('web/a', 'unknown', 2, [], 'down'),
        change('web/a', 'up', 3),
      ],
      want: ['opened a info', 'escalated a warning', 'updated a warning', 'closed a warning'],
    },
    {
      name: 'are of the data center when its last endpoint falls, until the first is back',
      given: 'web/a@fra web/b@fra web/c@sin',
      events: [
        change('web/a', 'down', 0),
        change('web/b', 'down', 1),
        change('web/a', 'up', 2),
        change('web/b', 'up', 3),
      ],
      want: [
        'opened a warning',
        'opened b warning',
        'opened fra critical',
        'updated a warning',
        'updated b warning',
        'closed a warning',
        'closed fra critical',
        'closed b warning',
      ],
    },
    {
      name: 'stay those of the data center while an endpoint is merely unknown',
      given: 'web/a@fra',
      events: [
        change('web/a', 'down', 0),
        change('web/a', 'unknown', 1, [], 'down'),
        change('web/a', 'up', 2),
      ],
      want: [
        'opened a warning',
        'opened fra critical',
        'updated a warning',
        'updated a warning',
        'closed a warning',
        'closed fra critical',
      ],
    },
    {
      name: 'are for information when all is drained, and critical when it fails meanwhile',
      given: 'web/a@fra',
      events: [change('web/a', 'drained', 0), change('web/a', 'down', 1, [], 'drained')],
      want: [
        'opened a info',
        'opened fra info',
        'updated a info',
        'escalated a warning',
        'escalated fra critical',
      ],
    },
    {
      name: 'are none of endpoints that are not known',
      given: 'web/a@fra',
      events: [change('web/z', 'down', 0)],
      want: [],
    },
  ];
  it.each(cases)('$name', ({ given, events, want }) => {
    expect(run(timelineOn(given), events)).toEqual(want);
  });

  it('keep only so many members by name, and count all', () => {
    const keys = Array.from({ length: MAX_MEMBERS + 5 }, (_, i) => `web/e${i}`);
    const timeline = timelineOn(keys.map((key) => `${key}@fra`).join(' '));
    const news = keys.flatMap((key) => timeline.take(change(key, 'down', 0)));
    const lost = news.find(({ incident }) => incident.kind === 'data-center')?.incident;
    expect([lost?.members.length, lost?.memberCount]).toEqual([MAX_MEMBERS, MAX_MEMBERS + 5]);
  });

  it('are closed as removed when their endpoint leaves the configuration', () => {
    const timeline = timelineOn('web/a@fra web/b@sin');
    timeline.take(change('web/a', 'down', 0));
    const news = timeline.follow(endpoints('web/b@sin'), () => 30, T0 + 5);
    expect(news.map(({ what, incident }) => `${what} ${incident.state}`)).toEqual([
      'closed removed',
      'closed removed',
    ]);
    expect([...timeline.open()]).toEqual([]);
  });
});

describe('a timeline', () => {
  it('tells first failure, vantages, decision, live, last stale answer and recovery, with the evidence', () => {
    const timeline = timelineOn('web/a@fra api/b@fra');
    const seen = [
      failing('ams1', 'web/a', -1500, -100),
      failing('nyc1', 'web/a', -1800, -50),
      answering('sgp1', 'web/a'),
    ];
    const opened = first(timeline.take(change('web/a', 'down', 0, seen)));
    expect(failoverSeconds(opened)).toBe(1.803);
    const closed = first(timeline.take(change('web/a', 'up', 60_000)));
    expect(
      timelineOf(closed).map(({ atMs, step, vantage, node }) => [atMs - T0, step, vantage ?? node]),
    ).toEqual([
      [-1800, 'first-failure', 'nyc1'],
      [-100, 'vantage', 'ams1'],
      [-50, 'vantage', 'nyc1'],
      [0, 'vantage', 'sgp1'],
      [0, 'decided', undefined],
      [3, 'live', 'ams1'],
      [30_003, 'stale-gone', undefined],
      [60_003, 'recovered', undefined],
    ]);
    expect(closed.vantages.map(({ result }) => result.evidence)).toEqual([
      { status: 503 },
      { status: 503 },
      { status: 200 },
    ]);
  });

  it('of a data center counts from the first of its endpoints, by the largest TTL', () => {
    const timeline = timelineOn('web/a@fra api/b@fra');
    timeline.take(change('web/a', 'down', 0, [failing('ams1', 'web/a', -2000, 0)]));
    const news = timeline.take(change('api/b', 'down', 400, [failing('ams1', 'api/b', -900, 400)]));
    const lost = news.find(({ incident }) => incident.kind === 'data-center')?.incident;
    expect([lost?.firstFailureAtMs, lost?.live[0]?.atMs, lost?.staleGoneAtMs]).toEqual([
      T0 - 2000,
      T0 + 403,
      T0 + 300_403,
    ]);
    expect(news.filter(({ what }) => what === 'updated').map(({ incident }) => incident.partOf)).toEqual([
      lost?.id,
      lost?.id,
    ]);
  });

  it('has no first failure where an operator did it', () => {
    const incident = first(
      timelineOn('web/a@fra web/b@fra').take(change('web/a', 'drained', 0, [answering('ams1', 'web/a')])),
    );
    expect([incident.firstFailureAtMs, failoverSeconds(incident)]).toEqual([undefined, undefined]);
  });

  it('takes in a vantage that comes to its verdict later, once', () => {
    const timeline = timelineOn('web/a@fra web/b@fra');
    const early = failing('ams1', 'web/a', -1500, -100);
    timeline.take(change('web/a', 'down', 0, [early, answering('nyc1', 'web/a')]));
    const late = failing('nyc1', 'web/a', -1000, 700);
    const look = (): readonly IncidentNews[] => timeline.look(() => [early, late], T0 + 1000);
    expect(
      look().map(({ incident }) => incident.vantages.map(({ vantage, verdict }) => `${vantage} ${verdict}`)),
    ).toEqual([['ams1 down', 'nyc1 down']]);
    expect(look()).toEqual([]);
  });
});

describe('after a restart', () => {
  function restarted(verdict: 'up' | 'down'): Timeline {
    const before = timelineOn('web/a@fra');
    before.take(change('web/a', 'down', 0));
    const timeline = createTimeline('ams1');
    timeline.restore(before.open());
    timeline.follow(endpoints(`web/a@fra=${verdict}`), () => 30, T0 + 9000);
    return timeline;
  }

  it('an incident goes on, and is not told again', () => {
    const timeline = restarted('down');
    expect(Array.from(timeline.open(), ({ kind, openedAtMs }) => [kind, openedAtMs])).toEqual([
      ['endpoint', T0],
      ['data-center', T0],
    ]);
    expect(run(timeline, [change('web/a', 'up', 10_000)])).toEqual([
      'closed a warning',
      'closed fra critical',
    ]);
  });

  it('one that ended while nobody looked is closed by the first vantage that says so, not by memory', () => {
    const timeline = restarted('up');
    expect(timeline.look(() => [], T0 + 9500).map(say)).toEqual([]);
    expect(timeline.look((key) => [answering('ams1', key)], T0 + 9900).map(say)).toContain(
      'closed a warning',
    );
    expect([...timeline.open()]).toEqual([]);
  });
});

describe('the nodes of a cluster', () => {
  const liveOf = (timeline: Timeline): string[] =>
    Array.from(timeline.open(), ({ endpoint = 'all', live, staleGoneAtMs }) => {
      const nodes = live.map(({ node, atMs }) => `${node} ${atMs - T0}`);
      return `${endpoint}: ${nodes.join(', ')}; gone ${staleGoneAtMs - T0}`;
    });

  it('each have a line, and the last of them says when stale answers are gone', () => {
    const timeline = timelineOn('web/fra@fra web/ash@ash');
    run(timeline, [change('web/fra', 'down', 1000)]);
    const news = timeline.takeLive('web/fra', 'down', { node: 'lon1', atMs: T0 + 1050 });
    expect(news.map(say)).toEqual(['updated fra warning', 'updated fra critical']);
    timeline.takeLive('web/fra', 'down', { node: 'nyc1', atMs: T0 + 1020 });
    expect(timeline.takeLive('web/fra', 'down', { node: 'nyc1', atMs: T0 + 9000 })).toEqual([]);
    expect(timeline.takeLive('web/fra', 'down', { node: 'late', atMs: T0 + 99_000 })).toEqual([]);
    expect(timeline.takeLive('web/none', 'down', { node: 'lon1', atMs: T0 + 1020 })).toEqual([]);
    const live = 'ams1 1003, lon1 1050, nyc1 1020; gone 31050';
    expect(liveOf(timeline)).toEqual([`fra: ${live}`, `all: ${live}`]);
  });

  it('may be quicker than this one', () => {
    const timeline = timelineOn('web/fra@fra web/ash@ash');
    expect(timeline.takeLive('web/fra', 'down', { node: 'lon1', atMs: T0 + 990 })).toEqual([]);
    timeline.takeLive('web/ash', 'down', { node: 'lon1', atMs: T0 + 990 });
    timeline.takeLive('web/ash', 'up', { node: 'lon1', atMs: T0 + 999 });
    run(timeline, [change('web/fra', 'down', 1000), change('web/ash', 'down', 1000)]);
    expect(liveOf(timeline).slice(0, 2)).toEqual([
      'fra: ams1 1003, lon1 990; gone 31003',
      'ash: ams1 1003; gone 31003',
    ]);
  });

  it('have lost a data center with the last of its endpoints', () => {
    const timeline = timelineOn('web/a@fra web/b@fra');
    run(timeline, [change('web/a', 'down', 1000), change('web/b', 'down', 1100)]);
    timeline.takeLive('web/a', 'down', { node: 'lon1', atMs: T0 + 1010 });
    expect(liveOf(timeline)[2]).toBe('all: ams1 1103; gone 31103');
    timeline.takeLive('web/b', 'down', { node: 'lon1', atMs: T0 + 1200 });
    expect(liveOf(timeline)[2]).toBe('all: ams1 1103, lon1 1200; gone 31200');
  });
});
