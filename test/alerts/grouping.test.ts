import { describe, expect, it } from 'vitest';
import type { Delivery } from '../../src/alerts/delivery.ts';
import { accepts, addIncident, eventOf, groupOf, MAX_INCIDENTS } from '../../src/alerts/grouping.ts';
import type { AlertChannel } from '../../src/config/resources/alert-channel.ts';
import type { Incident } from '../../src/health/incidents/incident.ts';
import { delivery, incident, loss, T0 } from '../history/incidents.ts';
import { channel } from './channels.ts';

describe('whom to tell', () => {
  const cases: readonly {
    readonly name: string;
    readonly channel: Partial<AlertChannel>;
    readonly incident: Incident;
    readonly want: boolean;
  }[] = [
    { name: 'a failed endpoint', channel: {}, incident: incident('a', 0), want: true },
    {
      name: 'a drained endpoint',
      channel: {},
      incident: incident('a', 0, { severity: 'info' }),
      want: false,
    },
    {
      name: 'a drained endpoint to who wants to hear all',
      channel: { minimumSeverity: 'info' },
      incident: incident('a', 0, { severity: 'info' }),
      want: true,
    },
    {
      name: 'a failed endpoint to who wants lost data centers only',
      channel: { minimumSeverity: 'critical' },
      incident: incident('a', 0),
      want: false,
    },
    {
      name: 'a lost data center to who wants those only',
      channel: { minimumSeverity: 'critical' },
      incident: loss('fra', 0),
      want: true,
    },
    {
      name: 'another data center',
      channel: { dataCenters: ['sin'] },
      incident: incident('a', 0),
      want: false,
    },
    { name: 'another pool', channel: { pools: ['api'] }, incident: incident('a', 0), want: false },
    {
      name: 'a data center that serves the pool among others',
      channel: { pools: ['api'] },
      incident: loss('fra', 0, { pools: ['web', 'api'] }),
      want: true,
    },
  ];
  it.each(cases)('$name: $want', ({ channel: changes, incident: given, want }) => {
    expect(accepts(channel(changes), given)).toBe(want);
  });

  it('tells what opens, worsens and ends, and nothing else', () => {
    const whats = ['opened', 'escalated', 'updated', 'closed'] as const;
    expect(whats.map((what) => eventOf({ what, incident: incident('a', 0) }))).toEqual([
      'opened',
      'opened',
      undefined,
      'recovered',
    ]);
  });
});

describe('what is told together', () => {
  const quiet = channel({ groupSeconds: 5 });
  const empty: Delivery = delivery('1', 0, { state: 'collecting', total: 0, dueAtMs: T0 });

  function collect(arrivals: readonly (readonly [Incident, number])[]): Delivery {
    return arrivals.reduce(
      (group, [one, second]) => addIncident(group, one, quiet, T0 + second * 1000),
      empty,
    );
  }

  it('is due when it has been quiet for the time of a group', () => {
    const group = collect([
      [incident('a', 0), 0],
      [incident('b', 0), 4],
    ]);
    expect([group.dueAtMs - T0, group.total]).toEqual([9000, 2]);
  });

  it('is due at the latest after six times that', () => {
    const group = collect(Array.from({ length: 20 }, (_, i) => [incident(`e${i}`, 0), i * 4] as const));
    expect(group.dueAtMs - T0).toBe(30_000);
  });

  it('has an incident once, as it was last, and a data center first', () => {
    const group = collect([
      [incident('a', 0, { verdict: 'drained' }), 0],
      [incident('b', 0), 1],
      [incident('a', 0), 2],
      [loss('fra', 0), 3],
    ]);
    expect([
      group.total,
      group.incidents.map(({ endpoint, verdict }) => `${endpoint ?? 'fra'} ${verdict}`),
    ]).toEqual([3, ['fra down', 'b down', 'a down']]);
  });

  it('is bounded, and counted', () => {
    const group = collect(
      Array.from({ length: MAX_INCIDENTS + 7 }, (_, i) => [incident(`e${i}`, 0), 0] as const),
    );
    expect([group.incidents.length, group.total]).toEqual([MAX_INCIDENTS, MAX_INCIDENTS + 7]);
  });

  it('is all of a channel, but of one data center for PagerDuty', () => {
    const pager = channel({ format: 'pagerduty', routingKey: 'key' });
    expect(groupOf(quiet, 'opened', 'fra')).toBe(groupOf(quiet, 'opened', 'sin'));
    expect(groupOf(quiet, 'opened', 'fra')).not.toBe(groupOf(quiet, 'recovered', 'fra'));
    expect(groupOf(pager, 'opened', 'fra')).not.toBe(groupOf(pager, 'opened', 'sin'));
  });
});
