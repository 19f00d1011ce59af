import { describe, expect, it } from 'vitest';
import type { Stored } from '../../../src/config/model.ts';
import {
  type MaintenanceWindow,
  maintenanceWindowSchema,
} from '../../../src/config/resources/maintenance-window.ts';
import { createMaintenance, windowStateAt } from '../../../src/health/overrides/maintenance.ts';

type Schedule = Readonly<Record<string, unknown>>;

function windowOf(schedule: Schedule, name = 'works'): MaintenanceWindow {
  const target = { kind: 'data-center', dataCenter: 'fra' };
  return maintenanceWindowSchema.parse({ name, target, schedule, reason: 'Power supply.' });
}

const once = { kind: 'once', startsAt: '2026-05-01T10:00:00+02:00', endsAt: '2026-05-01T12:00:00+02:00' };

function repeating(cron: string, timeZone: string, durationMinutes: number): Schedule {
  return { kind: 'repeating', cron, timeZone, durationMinutes };
}

const berlin = repeating('30 2 * * *', 'Europe/Berlin', 60);
const newYork = repeating('30 2 * * 0', 'America/New_York', 60);
const lordHowe = repeating('15 2 * * *', 'Australia/Lord_Howe', 20);
const often = repeating('*/10 * * * *', 'UTC', 15);

const text = (ms: number | undefined): string =>
  ms === undefined ? '-' : new Date(ms).toISOString().slice(0, 16);

/** `given` at a moment: when it ends, and when it opens next. */
const cases: readonly (readonly [string, Schedule, string, string, string])[] = [
  ['once, before it', once, '2026-05-01T07:59Z', '-', '2026-05-01T08:00'],
  ['once, from its first moment', once, '2026-05-01T08:00Z', '2026-05-01T10:00', '-'],
  ['once, not at its end', once, '2026-05-01T10:00Z', '-', '-'],
  ['Berlin on a common day', berlin, '2026-03-28T02:00Z', '2026-03-28T02:30', '2026-03-29T01:00'],
  ['Berlin in spring, before the gap', berlin, '2026-03-29T00:59Z', '-', '2026-03-29T01:00'],
  [
    'Berlin in spring, right after the gap',
    berlin,
    '2026-03-29T01:00Z',
    '2026-03-29T02:00',
    '2026-03-30T00:30',
  ],
  ['Berlin in spring, its last moment', berlin, '2026-03-29T01:59Z', '2026-03-29T02:00', '2026-03-30T00:30'],
  ['Berlin in spring, over', berlin, '2026-03-29T02:00Z', '-', '2026-03-30T00:30'],
  ['Berlin in autumn, the first 02:30', berlin, '2026-10-25T00:30Z', '2026-10-25T01:30', '2026-10-26T01:30'],
  [
    'Berlin in autumn, the second 02:30 is its end and no opening',
    berlin,
    '2026-10-25T01:30Z',
    '-',
    '2026-10-26T01:30',
  ],
  ['New York in spring', newYork, '2026-03-08T07:00Z', '2026-03-08T08:00', '2026-03-15T06:30'],
  ['New York in autumn', newYork, '2026-11-01T07:30Z', '2026-11-01T08:30', '2026-11-08T07:30'],
  ['Lord Howe in spring', lordHowe, '2026-10-03T15:30Z', '2026-10-03T15:50', '2026-10-04T15:15'],
  [
    'Lord Howe in autumn, where 02:15 is there once',
    lordHowe,
    '2026-04-04T15:45Z',
    '2026-04-04T16:05',
    '2026-04-05T15:45',
  ],
  ['openings that overlap never end', often, '2026-05-01T08:12Z', '2026-05-01T08:25', '2026-05-01T08:20'],
  [
    'a month long',
    repeating('0 0 1 1 *', 'UTC', 44_640),
    '2026-01-31T23:59Z',
    '2026-02-01T00:00',
    '2027-01-01T00:00',
  ],
];

it.each(cases)('%s', (_, schedule, at, ends, next) => {
  const { endsAtMs, nextOpensAtMs } = windowStateAt(windowOf(schedule), Date.parse(at));
  expect([text(endsAtMs), text(nextOpensAtMs)]).toEqual([ends, next]);
});

function stored(value: MaintenanceWindow): Stored<MaintenanceWindow> {
  return { value, owner: { kind: 'api' }, revision: '1', author: 'ada', reason: '', updatedAt: '' };
}

describe('the windows of a configuration', () => {
  const windows = new Map([
    ['works', stored(windowOf(berlin))],
    ['other', stored(windowOf(once, 'other'))],
  ]);
  const at = (time: string): number => Date.parse(time);
  const open = (maintenance: ReturnType<typeof createMaintenance>): readonly string[] =>
    maintenance.overrides().map(({ id, expiresAt }) => `${id} ${expiresAt}`);

  it('are open at once where they should be', () => {
    const maintenance = createMaintenance();
    maintenance.follow(windows, at('2026-03-29T01:10Z'));
    expect(maintenance.overrides()).toEqual([
      {
        id: 'works',
        from: 'maintenance-window',
        state: 'drain',
        target: { kind: 'data-center', dataCenter: 'fra' },
        reason: 'Power supply.',
        author: 'ada',
        expiresAt: '2026-03-29T02:00:00.000Z',
      },
    ]);
  });

  it('open and end as time passes', () => {
    const maintenance = createMaintenance();
    maintenance.follow(windows, at('2026-03-29T00:00Z'));
    const seen = ['2026-03-29T00:59:59Z', '2026-03-29T01:00Z', '2026-03-29T01:30Z', '2026-03-29T02:00Z'].map(
      (time) => [maintenance.look(at(time)), ...open(maintenance)],
    );
    expect(seen).toEqual([
      [false],
      [true, 'works 2026-03-29T02:00:00.000Z'],
      [false, 'works 2026-03-29T02:00:00.000Z'],
      [true],
    ]);
  });

  it('that overlap themselves are prolonged', () => {
    const maintenance = createMaintenance();
    maintenance.follow(new Map([['often', stored(windowOf(often, 'often'))]]), at('2026-05-01T08:12Z'));
    expect(open(maintenance)).toEqual(['often 2026-05-01T08:25:00.000Z']);
    expect(maintenance.look(at('2026-05-01T08:20Z'))).toBe(true);
    expect(open(maintenance)).toEqual(['often 2026-05-01T08:35:00.000Z']);
  });

  it('are looked at anew when the clock was set back', () => {
    const maintenance = createMaintenance();
    maintenance.follow(windows, at('2026-03-29T01:10Z'));
    expect(maintenance.look(at('2026-03-29T00:10Z'))).toBe(true);
    expect(open(maintenance)).toEqual([]);
  });

  it('end when they are deleted, and hold when another is written', () => {
    const maintenance = createMaintenance();
    maintenance.follow(windows, at('2026-03-29T01:10Z'));
    const works = windows.get('works');
    if (works !== undefined) maintenance.follow(new Map([['works', works]]), at('2026-03-29T01:11Z'));
    expect(open(maintenance).length).toBe(1);
    maintenance.follow(new Map(), at('2026-03-29T01:12Z'));
    expect(open(maintenance)).toEqual([]);
  });
});
