import { existsSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { IncidentFilter } from '../../src/health/incidents/incident-filter.ts';
import { HistoryDatabase } from '../../src/history/history-database.ts';
import type { Retention } from '../../src/history/history-messages.ts';
import { delivery, ended, incident, loss, MINUTE_MS, T0 } from './incidents.ts';

const DAY_MS = 86_400_000;

let directory: string;
let path: string;
let open: HistoryDatabase[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-history-'));
  path = join(directory, 'history.sqlite');
});

afterEach(() => {
  for (const database of open) database.close();
  open = [];
  rmSync(directory, { recursive: true, force: true });
});

function openHistory(retention: Retention = { days: 90, mebibytes: 64 }): HistoryDatabase {
  const database = new HistoryDatabase({ path, retention });
  open.push(database);
  return database;
}

function ids(database: HistoryDatabase, query: Partial<IncidentFilter> = {}): string[] {
  return database
    .incidents({ limit: 100, ...query })
    .items.map(({ endpoint, dataCenter }) => endpoint ?? dataCenter);
}

describe('incidents', () => {
  const all = [
    ended(incident('a', 1), 5),
    ended(incident('b', 2, { dataCenter: 'sin', pools: ['api'] }), 3),
    incident('c', 4),
    loss('fra', 6, { pools: ['api', 'web'] }),
  ];
  const cases: readonly {
    readonly name: string;
    readonly query: Partial<IncidentFilter>;
    readonly want: readonly string[];
  }[] = [
    { name: 'all, newest first', query: {}, want: ['fra', 'c', 'b', 'a'] },
    { name: 'open', query: { state: 'open' }, want: ['fra', 'c'] },
    { name: 'ended', query: { state: 'ended' }, want: ['b', 'a'] },
    { name: 'of a pool', query: { pool: 'api' }, want: ['fra', 'b'] },
    { name: 'of a pool whose name is a pattern', query: { pool: '%' }, want: [] },
    { name: 'of a data center', query: { dataCenter: 'sin' }, want: ['b'] },
    { name: 'of an endpoint', query: { endpoint: 'c' }, want: ['c'] },
    { name: 'that were open since', query: { sinceMs: T0 + 4 * MINUTE_MS }, want: ['fra', 'c', 'a'] },
    { name: 'that began before', query: { untilMs: T0 + 4 * MINUTE_MS }, want: ['b', 'a'] },
    { name: 'after another', query: { after: all[2]?.id }, want: ['b', 'a'] },
  ];
  it.each(cases)('$name', ({ query, want }) => {
    const database = openHistory();
    database.put({ incidents: all, deliveries: [] }, T0);
    expect(ids(database, query)).toEqual(want);
  });

  it('come a page at a time', () => {
    const database = openHistory();
    database.put({ incidents: all, deliveries: [] }, T0);
    expect(database.incidents({ limit: 3 }).more).toBe(true);
    expect(database.incidents({ limit: 4 }).more).toBe(false);
  });

  it('are replaced by their id, so that writing twice is writing once', () => {
    const database = openHistory();
    const a = incident('a', 1);
    database.put({ incidents: [a, a], deliveries: [] }, T0);
    database.put({ incidents: [ended(a, 2)], deliveries: [] }, T0);
    expect(ids(database)).toEqual(['a']);
    expect(database.incident(a.id)?.state).toBe('closed');
    expect(database.incident('none')).toBeUndefined();
  });
});

describe('what is not finished', () => {
  it('is known to the next that opens the file, without a close', () => {
    const before = openHistory();
    before.put(
      {
        incidents: [incident('a', 1), ended(incident('b', 2), 3)],
        deliveries: [delivery('1', 1), delivery('2', 2, { state: 'delivered', finishedAtMs: T0 })],
      },
      T0,
    );
    const { incidents, deliveries } = openHistory().unfinished();
    expect(incidents.map(({ endpoint }) => endpoint)).toEqual(['a']);
    expect(deliveries.map(({ id }) => id)).toEqual([delivery('1', 1).id]);
  });
});

describe('retention', () => {
  it('lets go of what ended before its days, and of nothing that is open', () => {
    const database = openHistory({ days: 1, mebibytes: 64 });
    database.put(
      {
        incidents: [incident('a', 0), ended(incident('b', 0), 1), ended(incident('c', 2), 3)],
        deliveries: [],
      },
      T0,
    );
    database.put({ incidents: [], deliveries: [] }, T0 + DAY_MS + 2 * MINUTE_MS);
    expect(ids(database)).toEqual(['c', 'a']);
  });

  it('lets go of the oldest beyond its size', () => {
    const database = openHistory({ days: 90, mebibytes: 1 });
    const reason = 'r'.repeat(1000);
    for (let batch = 0; batch < 30; batch++) {
      const incidents = Array.from({ length: 100 }, (_, i) =>
        ended(incident(`e${i}`, batch, { reason }), batch + 1),
      );
      database.put({ incidents, deliveries: [] }, T0);
    }
    const kept = database.incidents({ limit: 10_000 }).items;
    expect(kept.length).toBeGreaterThan(200);
    expect(kept.length).toBeLessThan(1000);
    expect(kept[0]?.openedAtMs).toBe(T0 + 29 * MINUTE_MS);
  });
});

describe('a database that cannot be used', () => {
  it.each([
    { name: 'garbage', spoil: () => writeFileSync(path, 'this is not a database, '.repeat(500)) },
    {
      name: 'of another version',
      spoil: () => {
        const other = new DatabaseSync(path);
        other.exec('PRAGMA user_version = 77');
        other.close();
      },
    },
    {
      name: 'cut off',
      spoil: () => {
        const database = new HistoryDatabase({ path, retention: { days: 1, mebibytes: 64 } });
        const incidents = Array.from({ length: 500 }, (_, i) => incident(`e${i}`, i));
        database.put({ incidents, deliveries: [] }, T0);
        database.close();
        truncateSync(path, 20_000);
      },
    },
  ])('is moved aside: $name', ({ spoil }) => {
    spoil();
    const spoilt = readFileSync(path);
    const database = openHistory();
    expect(database.trouble).toEqual({ movedAside: `${path}.unusable`, inMemory: undefined, startedAnew: 1 });
    expect(readFileSync(`${path}.unusable`).equals(spoilt)).toBe(true);
    database.put({ incidents: [incident('a', 1)], deliveries: [] }, T0);
    expect(ids(database)).toEqual(['a']);
    database.close();
    open = [];
    expect(openHistory().trouble.movedAside).toBeUndefined();
  });

  it('is moved aside when it turns out while it runs', () => {
    const database = openHistory();
    const reason = 'r'.repeat(1000);
    const incidents = Array.from({ length: 4000 }, (_, i) => incident(`e${i}`, i, { reason }));
    database.put({ incidents, deliveries: [] }, T0);
    database.close();
    open = [];
    const again = openHistory();
    // Behind its back: all pages but the first.
    const octets = readFileSync(path);
    octets.fill(0x5a, 4096);
    writeFileSync(path, octets);
    // More than SQLite has in memory.
    expect(again.incidents({ limit: 10_000 }).items).toEqual([]);
    again.put({ incidents: [incident('new', 5000)], deliveries: [] }, T0);
    expect(again.trouble.startedAnew).toBe(1);
    expect(ids(again)).toEqual(['new']);
  });

  it('is kept in memory where nothing can be written', () => {
    path = join(directory, 'missing', 'history.sqlite');
    const database = openHistory();
    expect(database.trouble.inMemory).toMatch(/unable to open/);
    database.put({ incidents: [incident('a', 1)], deliveries: [] }, T0);
    expect(ids(database)).toEqual(['a']);
    expect(existsSync(path)).toBe(false);
  });
});
