import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { History, type HistoryOptions } from '../../src/history/history-link.ts';
import { eventually, until } from '../until.ts';
import { delivery, incident, T0 } from './incidents.ts';

let directory: string;
let path: string;
let workers: Worker[];
let histories: History[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-history-'));
  path = join(directory, 'history.sqlite');
  workers = [];
  histories = [];
});

afterEach(async () => {
  for (const history of histories) await history.close();
  rmSync(directory, { recursive: true, force: true });
});

function openHistory(changes: Partial<HistoryOptions> = {}): History {
  const history = new History({
    start: { path, retention: { days: 90, mebibytes: 64 } },
    url: new URL('../../src/history/history-worker.ts', import.meta.url),
    startWorker: (url, options) => {
      const worker = new Worker(url, options);
      workers.push(worker);
      return worker;
    },
    nowMs: () => T0,
    onStartedAnew: () => {},
    onProblems: () => {},
    ...changes,
  });
  histories.push(history);
  return history;
}

async function endpointsOf(history: History): Promise<readonly unknown[]> {
  const { items } = await history.incidents({ limit: 10 });
  return items.map(({ endpoint }) => endpoint);
}

describe('the history', () => {
  it('shows at once what was put just now, and writes it before it closes', async () => {
    const history = openHistory();
    history.put({ incidents: [incident('a', 1)] });
    expect(await endpointsOf(history)).toEqual(['a']);
    history.put({ incidents: [incident('b', 2)], deliveries: [delivery('1', 1)] });
    await history.close();
    const again = openHistory();
    expect(await endpointsOf(again)).toEqual(['b', 'a']);
    expect((await again.unfinished()).deliveries).toEqual([delivery('1', 1)]);
  });

  it('loses nothing that was put when its thread ends', async () => {
    const history = openHistory();
    await history.incident('wait until it is there');
    history.put({ incidents: [incident('a', 1)] });
    await workers[0]?.terminate();
    const found = await eventually(
      async () => {
        const endpoints = await endpointsOf(history).catch(() => []);
        return endpoints.length > 0 ? endpoints : undefined;
      },
      { withinMs: 10_000, what: 'the thread is there again' },
    );
    expect(found).toEqual(['a']);
    expect(workers.length).toBe(2);
  });

  it('keeps what cannot be written now, tells so, and writes it later', async () => {
    let told = 0;
    const history = openHistory({ retryMs: 10, onProblems: () => told++ });
    await history.incident('wait until it is there');
    const other = new DatabaseSync(path);
    other.exec('BEGIN IMMEDIATE');
    history.put({ incidents: [incident('a', 1)] });
    await until(() => told === 1);
    expect(history.problems().map(({ code }) => code)).toEqual(['history-not-written']);
    other.exec('ROLLBACK');
    other.close();
    await until(() => told === 2);
    expect([history.problems(), await endpointsOf(history)]).toEqual([[], ['a']]);
  });

  it('tells that a damaged database was moved aside, and asks for what is still open', async () => {
    writeFileSync(path, 'no database'.repeat(1000));
    const asked = new Promise<void>((resolve) => {
      const history = openHistory({ onStartedAnew: resolve });
      void history.unfinished();
    });
    await asked;
    expect(histories[0]?.problems().map(({ code }) => code)).toEqual(['history-started-anew']);
  });
});
