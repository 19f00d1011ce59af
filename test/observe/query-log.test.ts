import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCounters, openCounters, readCounters } from '../../src/observe/counters.ts';
import type { LineSink } from '../../src/observe/query-log/line-sink.ts';
import { formatQueryLine, type LoggedClients } from '../../src/observe/query-log/query-line.ts';
import { QueryLog } from '../../src/observe/query-log/query-log.ts';
import { RotatingFile } from '../../src/observe/query-log/rotating-file.ts';
import { name as wireName } from '../answer/world.ts';
import { namedSample, type SampleText } from './samples.ts';

const lines: readonly { name: string; given: SampleText; clients?: LoggedClients; want: object }[] = [
  {
    name: 'a steered answer',
    given: {
      client: '203.0.113.0/24',
      dataCenter: 'fra',
      changes: { scope: 22, responseLength: 56, clientSource: 'client-subnet' },
    },
    want: {
      time: '2026-01-01T12:00:00.250Z',
      transport: 'udp',
      resolver: '192.0.2.1',
      port: 5353,
      name: 'www.example.org.',
      type: 'A',
      outcome: 'answer',
      rcode: 'NOERROR',
      responseOctets: 56,
      zone: 'example.org.',
      steered: 'www.example.org.',
      dataCenter: 'fra',
      client: '203.0.113.0/24',
      clientSource: 'client-subnet',
      scope: 22,
      every: 64,
    },
  },
  {
    name: 'a truncated static answer of an unknown type over TCP',
    given: {
      steered: false,
      type: 'TYPE65280',
      changes: { transport: 'tcp', truncated: true, responseLength: 33, port: 0 },
    },
    want: {
      time: '2026-01-01T12:00:00.250Z',
      transport: 'tcp',
      resolver: '192.0.2.1',
      name: 'www.example.org.',
      type: 'TYPE65280',
      outcome: 'answer',
      rcode: 'NOERROR',
      responseOctets: 33,
      truncated: true,
      zone: 'example.org.',
      every: 64,
    },
  },
  {
    name: 'a query that was dropped',
    given: {
      steered: false,
      changes: { outcome: 'dropped', responseLength: 0, apex: new Uint8Array() },
    },
    want: {
      time: '2026-01-01T12:00:00.250Z',
      transport: 'udp',
      resolver: '192.0.2.1',
      port: 5353,
      name: 'www.example.org.',
      type: 'A',
      outcome: 'dropped',
      every: 64,
    },
  },
  {
    name: 'prefixes instead of addresses',
    given: {
      resolver: '2001:db8:1:2::3',
      client: '198.51.100.77/32',
      changes: { responseLength: 56, clientSource: 'client-subnet' },
    },
    clients: 'prefix',
    want: {
      time: '2026-01-01T12:00:00.250Z',
      transport: 'udp',
      resolver: '2001:db8:1::/48',
      name: 'www.example.org.',
      type: 'A',
      outcome: 'answer',
      rcode: 'NOERROR',
      responseOctets: 56,
      zone: 'example.org.',
      steered: 'www.example.org.',
      client: '198.51.100.0/24',
      clientSource: 'client-subnet',
      every: 64,
    },
  },
];

describe('formatQueryLine', () => {
  it.each(lines)('tells $name', ({ given, clients = 'full', want }) => {
    expect(JSON.parse(formatQueryLine(namedSample(given), clients, 64))).toEqual(want);
  });

  it('is one line, whatever octets a name has', () => {
    const name = '\\010\\"\\200.example.org.';
    const line = formatQueryLine({ ...namedSample({ name: 'x.' }), asked: name }, 'full', 1);
    expect(line).not.toMatch(/\n/);
    expect(JSON.parse(line).name).toBe(name);
    expect(wireName(name)).toHaveLength(17);
  });
});

/** A sink whose writes settle when told to. */
function slowSink(): LineSink & { readonly texts: string[]; settle: (error?: Error) => void } {
  const texts: string[] = [];
  const sink = {
    texts,
    settle: (_error?: Error): void => {},
    write: (text: string) =>
      new Promise<void>((resolve, reject) => {
        texts.push(text);
        sink.settle = (error) => (error === undefined ? resolve() : reject(error));
      }),
    close: async () => {},
  };
  return sink;
}

function setUp(sink: LineSink, every = 1, sampleEvery = 1) {
  const counters = openCounters(createCounters());
  const changes: (string | undefined)[] = [];
  const log = new QueryLog({
    sink,
    sampleEvery,
    every,
    clients: 'full',
    counters,
    onChange: (failure) => changes.push(failure),
  });
  const counted = (): string =>
    readCounters([counters], 'queryLog')
      .map(({ label, value }) => `${label} ${value}`)
      .join(', ');
  return { log, changes, counted };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('QueryLog', () => {
  it('writes what waits in one go, while the next lines gather', async () => {
    const sink = slowSink();
    const { log, counted } = setUp(sink);
    log.add(namedSample());
    log.add(namedSample());
    log.flush();
    log.add(namedSample());
    log.flush();
    expect(sink.texts.map((text) => text.split('\n').length - 1)).toEqual([2]);
    sink.settle();
    await settled();
    log.flush();
    expect(sink.texts).toHaveLength(2);
    sink.settle();
    await log.close();
    expect(counted()).toBe('written 3, dropped 0, failed 0');
  });

  it('logs fewer than are sampled when told so', async () => {
    const sink = slowSink();
    const { log } = setUp(sink, 100, 32);
    for (let index = 0; index < 50; index++) log.add(namedSample());
    log.flush();
    expect(sink.texts[0]?.trimEnd().split('\n')).toHaveLength(16);
    expect(JSON.parse(sink.texts[0]?.split('\n')[0] ?? '').every).toBe(100);
  });

  it('drops and counts what a slow disk does not take', () => {
    const { log, counted } = setUp(slowSink());
    const line = formatQueryLine(namedSample(), 'full', 1).length;
    const room = Math.floor((4 * 1024 * 1024) / line);
    for (let index = 0; index < room + 5; index++) log.add(namedSample());
    expect(counted()).toBe('written 0, dropped 5, failed 0');
  });

  it('tells a failure once, and that it is over', async () => {
    const sink = slowSink();
    const { log, changes, counted } = setUp(sink);
    for (const error of [new Error('disk full'), new Error('disk full'), undefined]) {
      log.add(namedSample());
      log.flush();
      sink.settle(error);
      await settled();
    }
    expect(changes).toEqual(['disk full', undefined]);
    expect(counted()).toBe('written 1, dropped 0, failed 2');
  });
});

describe('RotatingFile', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'meridian-log-'));
  });
  afterEach(() => rm(directory, { recursive: true }));
  const path = (): string => join(directory, 'queries.jsonl');
  const contents = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      await Promise.all(
        (await readdir(directory)).map(async (name) => [name, await readFile(join(directory, name), 'utf8')]),
      ),
    );

  it('turns over before it grows beyond its limit, and keeps so many older files', async () => {
    const file = await RotatingFile.open(path(), { octets: 10, olderFiles: 2 }, () => 0);
    for (const text of ['one\n', 'two\n', 'three\n', 'a line beyond the limit\n', 'four\n', 'five\n'])
      await file.write(text);
    await file.close();
    expect(await contents()).toEqual({
      'queries.jsonl': 'four\nfive\n',
      'queries.jsonl.1': 'a line beyond the limit\n',
      'queries.jsonl.2': 'three\n',
    });
  });

  it('goes on at the end of what is there', async () => {
    for (const text of ['one\n', 'two\n']) {
      const file = await RotatingFile.open(path(), { octets: 100, olderFiles: 2 }, () => 0);
      await file.write(text);
      await file.close();
    }
    expect(await contents()).toEqual({ 'queries.jsonl': 'one\ntwo\n' });
  });

  it('begins a new file when somebody has moved it away or deleted it', async () => {
    let nowMs = 0;
    const file = await RotatingFile.open(path(), { octets: 100, olderFiles: 2 }, () => nowMs);
    await file.write('one\n');
    await rename(path(), join(directory, 'moved'));
    nowMs += 1000;
    await file.write('two\n');
    await rm(path());
    nowMs += 1000;
    await file.write('three\n');
    await file.close();
    expect(await contents()).toEqual({ moved: 'one\n', 'queries.jsonl': 'three\n' });
  });

  it('is refused where it cannot be written', async () => {
    const there = join(directory, 'no', 'such', 'directory');
    await expect(RotatingFile.open(there, { octets: 100, olderFiles: 2 }, () => 0)).rejects.toThrow(/ENOENT/);
  });
});
