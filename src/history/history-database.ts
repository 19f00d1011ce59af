import { renameSync, rmSync } from 'node:fs';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import type { Delivery, DeliveryFilter } from '../alerts/delivery.ts';
import { reasonOf } from '../config/problem.ts';
import type { Incident } from '../health/incidents/incident.ts';
import type { IncidentFilter } from '../health/incidents/incident-filter.ts';
import type {
  HistoryBatch,
  HistoryPage,
  HistoryStart,
  HistoryTrouble,
  Retention,
  Unfinished,
} from './history-messages.ts';

/** Of the tables below; a database of another version is moved aside. */
const SCHEMA_VERSION = 1;

/** A process that is just leaving may still hold it. */
const BUSY_TIMEOUT_MS = 500;

/** The log of writes is cut back to this after a checkpoint. */
const MAX_LOG_OCTETS = 4 * 1024 * 1024;

const MEBIBYTE = 1024 * 1024;
const DAY_MS = 86_400_000;

/** So many of the oldest go at a time when there is too much. */
const PRUNED_AT_ONCE = 100;

/** Open incidents that are taken up again after a start; more is no history but a catastrophe. */
const MAX_UNFINISHED = 100_000;

/** SQLite's primary result codes that say that the file is not, or no longer, a database. */
const DAMAGED_CODES: ReadonlySet<number> = new Set([11, 26]);

/*
 *     incidents                                   deliveries
 *     id | closed_at | data_center | pool | ...   id | channel | finished_at | body
 *     `- "1767225600000.web.fra-v4": by time      `- "1767225600000-9f86d081": by time
 *
 * What is searched by has a column; the rest is JSON, so that a new field needs no new table.
 */
const SCHEMA = `
  CREATE TABLE incidents (
    id TEXT PRIMARY KEY, opened_at INTEGER NOT NULL, closed_at INTEGER, data_center TEXT NOT NULL,
    pools TEXT NOT NULL, endpoint TEXT, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX incidents_open ON incidents (id) WHERE closed_at IS NULL;
  CREATE INDEX incidents_by_data_center ON incidents (data_center, id);
  CREATE TABLE deliveries (
    id TEXT PRIMARY KEY, channel TEXT NOT NULL, created_at INTEGER NOT NULL, finished_at INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE INDEX deliveries_by_channel ON deliveries (channel, id);
  CREATE INDEX deliveries_unfinished ON deliveries (id) WHERE finished_at IS NULL;
  PRAGMA user_version = ${SCHEMA_VERSION};
`;

/** The statements that every batch and every question use again. */
interface Statements {
  readonly putIncident: StatementSync;
  readonly putDelivery: StatementSync;
  readonly incident: StatementSync;
  readonly openIncidents: StatementSync;
  readonly deliveries: StatementSync;
  readonly unfinishedDeliveries: StatementSync;
  readonly pruneOldIncidents: StatementSync;
  readonly pruneOldDeliveries: StatementSync;
  readonly pruneIncidents: StatementSync;
  readonly pruneDeliveries: StatementSync;
}

/** Whether an error says that the database itself is damaged, rather than that there is no room for it now. */
function isDamage(error: unknown): boolean {
  const code = typeof error === 'object' && error !== null && 'errcode' in error ? Number(error.errcode) : 0;
  // Extended codes carry the primary one in their low octet.
  return DAMAGED_CODES.has(code & 0xff);
}

/**
 * Incidents and deliveries in one SQLite file with a write-ahead log: what was committed survives the end of the
 * process, however it ends. It never refuses to open: a file that cannot be used is moved aside, and where nothing can
 * be written at all, memory takes its place.
 */
export class HistoryDatabase {
  readonly #path: string;
  readonly #retention: Retention;
  #database: DatabaseSync;
  #statements: Statements;
  #trouble: HistoryTrouble = { movedAside: undefined, inMemory: undefined, startedAnew: 0 };

  constructor({ path, retention }: HistoryStart) {
    this.#path = path;
    this.#retention = retention;
    this.#database = this.#open();
    this.#statements = prepareStatements(this.#database);
  }

  get trouble(): HistoryTrouble {
    return this.#trouble;
  }

  /** Writes all of the batch or none of it; throws as SQLite does where there is no room. */
  put(batch: HistoryBatch, nowMs: number): void {
    this.#mending(() => {
      this.#database.exec('BEGIN IMMEDIATE');
      try {
        for (const incident of batch.incidents) this.#putIncident(incident);
        for (const delivery of batch.deliveries) this.#putDelivery(delivery);
        this.#prune(nowMs);
        this.#database.exec('COMMIT');
      } catch (error) {
        // A full disk may have ended the transaction already.
        if (this.#database.isTransaction) this.#database.exec('ROLLBACK');
        throw error;
      }
    });
  }

  incidents(filter: IncidentFilter): HistoryPage<Incident> {
    const { sql, values } = incidentSelect(filter);
    const rows = this.#mending(() => this.#database.prepare(sql).all(...values));
    return pageOf(rows, filter.limit);
  }

  incident(id: string): Incident | undefined {
    const row = this.#mending(() => this.#statements.incident.get(id));
    return row === undefined ? undefined : bodyOf<Incident>(row);
  }

  deliveries({ channel, after, limit }: DeliveryFilter): HistoryPage<Delivery> {
    const rows = this.#mending(() => this.#statements.deliveries.all(channel, after ?? '~', limit + 1));
    return pageOf(rows, limit);
  }

  unfinished(): Unfinished {
    return this.#mending(() => ({
      incidents: this.#statements.openIncidents
        .all(MAX_UNFINISHED)
        .flatMap((row) => bodyOf<Incident>(row) ?? []),
      deliveries: this.#statements.unfinishedDeliveries
        .all(MAX_UNFINISHED)
        .flatMap((row) => bodyOf<Delivery>(row) ?? []),
    }));
  }

  close(): void {
    this.#database.close();
  }

  /** Does it again, on a new database, when it finds this one damaged. */
  #mending<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!isDamage(error)) throw error;
      closeQuietly(this.#database);
      this.#database = this.#openAnew(error);
      this.#statements = prepareStatements(this.#database);
      return step();
    }
  }

  #open(): DatabaseSync {
    try {
      return openFile(this.#path);
    } catch (error) {
      return this.#openAnew(error);
    }
  }

  #openAnew(error: unknown): DatabaseSync {
    const startedAnew = this.#trouble.startedAnew + 1;
    try {
      const movedAside = moveAside(this.#path);
      const database = openFile(this.#path);
      this.#trouble = { movedAside, inMemory: undefined, startedAnew };
      return database;
    } catch {
      const why = reasonOf(error);
      this.#trouble = { movedAside: undefined, inMemory: why, startedAnew };
      return openFile(':memory:');
    }
  }

  #putIncident(incident: Incident): void {
    const { id, openedAtMs, closedAtMs, dataCenter, pools, endpoint } = incident;
    this.#statements.putIncident.run(
      id,
      openedAtMs,
      closedAtMs ?? null,
      dataCenter,
      // With a blank on either side of each, so that one of them can be searched for.
      ` ${pools.join(' ')} `,
      endpoint ?? null,
      JSON.stringify(incident),
    );
  }

  #putDelivery(delivery: Delivery): void {
    const { id, channel, createdAtMs, finishedAtMs } = delivery;
    const body = JSON.stringify(delivery);
    this.#statements.putDelivery.run(id, channel, createdAtMs, finishedAtMs ?? null, body);
  }

  /** Lets go of what is too old, then of the oldest while there is too much. */
  #prune(nowMs: number): void {
    const statements = this.#statements;
    const oldestMs = nowMs - this.#retention.days * DAY_MS;
    statements.pruneOldIncidents.run(oldestMs);
    statements.pruneOldDeliveries.run(oldestMs);
    while (this.#octets() > this.#retention.mebibytes * MEBIBYTE) {
      const pruned =
        Number(statements.pruneDeliveries.run(PRUNED_AT_ONCE).changes) +
        Number(statements.pruneIncidents.run(PRUNED_AT_ONCE).changes);
      // What is left is open, and goes when it has ended.
      if (pruned === 0) return;
    }
  }

  /** Octets in use; pages that were freed are used again before the file grows. */
  #octets(): number {
    const number = (pragma: string): number => {
      const row = this.#database.prepare(`PRAGMA ${pragma}`).get() ?? {};
      return Number(row[pragma] ?? 0);
    };
    return (number('page_count') - number('freelist_count')) * number('page_size');
  }
}

/** Opens or makes a database; throws where it is damaged, of another version or not to be written. */
function openFile(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, allowExtension: false });
  try {
    // Before anything is written: a file that is not ours stays as it is.
    const version = Number(database.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version !== 0 && version !== SCHEMA_VERSION)
      throw new Error(`its schema version ${version} is not known here`);
    // NORMAL waits for the disk at checkpoints alone; what a loss of power may cost are the last seconds.
    database.exec(
      `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA journal_size_limit = ${MAX_LOG_OCTETS}`,
    );
    if (version === 0) database.exec(`BEGIN; ${SCHEMA} COMMIT`);
    const check = database.prepare('PRAGMA quick_check(1)').get()?.quick_check;
    if (check !== 'ok') throw new Error(String(check));
    return database;
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

/** Renames the database, in the place of one that was moved aside before; returns its new name. */
function moveAside(path: string): string {
  const aside = `${path}.unusable`;
  renameSync(path, aside);
  // They belong to the file that is gone; a new one must not find them.
  for (const end of ['-wal', '-shm']) rmSync(`${path}${end}`, { force: true });
  return aside;
}

function closeQuietly(database: DatabaseSync): void {
  try {
    if (database.isOpen) database.close();
  } catch {
    // It is damaged; whatever it could not write is lost with it.
  }
}

function prepareStatements(database: DatabaseSync): Statements {
  const oldest = (table: string, ended: string): string =>
    `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${ended} IS NOT NULL ORDER BY id LIMIT ?)`;
  return {
    putIncident: database.prepare('INSERT OR REPLACE INTO incidents VALUES (?, ?, ?, ?, ?, ?, ?)'),
    putDelivery: database.prepare('INSERT OR REPLACE INTO deliveries VALUES (?, ?, ?, ?, ?)'),
    incident: database.prepare('SELECT body FROM incidents WHERE id = ?'),
    openIncidents: database.prepare(
      'SELECT body FROM incidents WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?',
    ),
    deliveries: database.prepare(
      'SELECT body FROM deliveries WHERE channel = ? AND id < ? ORDER BY id DESC LIMIT ?',
    ),
    unfinishedDeliveries: database.prepare(
      'SELECT body FROM deliveries WHERE finished_at IS NULL ORDER BY id LIMIT ?',
    ),
    pruneOldIncidents: database.prepare('DELETE FROM incidents WHERE closed_at < ?'),
    pruneOldDeliveries: database.prepare('DELETE FROM deliveries WHERE finished_at < ?'),
    pruneIncidents: database.prepare(oldest('incidents', 'closed_at')),
    pruneDeliveries: database.prepare(oldest('deliveries', 'finished_at')),
  };
}

function incidentSelect(filter: IncidentFilter): { readonly sql: string; readonly values: SQLInputValue[] } {
  const { endpoint, pool, dataCenter, sinceMs, untilMs, state, after, limit } = filter;
  const conditions: string[] = ['1'];
  const values: SQLInputValue[] = [];
  const where = (condition: string, value: SQLInputValue | undefined): void => {
    if (value === undefined) return;
    conditions.push(condition);
    values.push(value);
  };
  where('endpoint = ?', endpoint);
  where("pools LIKE ? ESCAPE '\\'", pool === undefined ? undefined : `% ${escapeLike(pool)} %`);
  where('data_center = ?', dataCenter);
  // Whatever was open at some time of the span.
  where('(closed_at IS NULL OR closed_at >= ?)', sinceMs);
  where('opened_at < ?', untilMs);
  where('id < ?', after);
  if (state !== undefined) conditions.push(state === 'open' ? 'closed_at IS NULL' : 'closed_at IS NOT NULL');
  const sql = `SELECT body FROM incidents WHERE ${conditions.join(' AND ')} ORDER BY id DESC LIMIT ?`;
  return { sql, values: [...values, limit + 1] };
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}

function pageOf<T>(rows: readonly Row[], limit: number): HistoryPage<T> {
  const items = rows.slice(0, limit).flatMap((row) => bodyOf<T>(row) ?? []);
  return { items, more: rows.length > limit };
}

type Row = Readonly<Record<string, unknown>>;

/** Only we write the column; a body that does not parse is left out. */
function bodyOf<T>(row: Row): T | undefined {
  try {
    return JSON.parse(String(row.body));
  } catch {
    return undefined;
  }
}
