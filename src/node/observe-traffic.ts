import { reasonOf } from '../config/problem.ts';
import { createCounters, openCounters } from '../observe/counters.ts';
import { DnstapEncoder } from '../observe/dnstap/dnstap-message.ts';
import { FrameStream } from '../observe/dnstap/frame-stream.ts';
import type { Logger } from '../observe/log.ts';
import { type LineSink, streamSink } from '../observe/query-log/line-sink.ts';
import { QueryLog } from '../observe/query-log/query-log.ts';
import { defaultFileLimits, RotatingFile } from '../observe/query-log/rotating-file.ts';
import { SampleDrain } from '../observe/samples/drain-samples.ts';
import { type NamedSample, SampleNamer, type SampleNames } from '../observe/samples/named-sample.ts';
import type { TrafficSource } from '../observe/traffic/traffic-report.ts';
import { TrafficTally } from '../observe/traffic/traffic-tally.ts';
import type { DnsServer } from '../server/serve-dns.ts';
import type { QueryLogSettings, TrafficSettings } from '../settings/traffic-settings.ts';
import { Closers } from './closers.ts';
import { StartError } from './start-error.ts';

export interface TrafficParts {
  readonly settings: TrafficSettings;
  readonly server: Pick<DnsServer, 'counters' | 'samples'>;
  readonly names: SampleNames;
  /** Name and version of this server, for dnstap. */
  readonly identity: string;
  readonly version: string;
  readonly log: Logger;
  /** Called for each sample; `scale` is how many it stands for. */
  readonly onSample?: (sample: NamedSample, scale: number) => void;
}

export interface ObservedTraffic {
  /** Undefined where nothing is sampled. */
  readonly source: TrafficSource | undefined;
  /** What became of the samples. */
  readonly counters: Float64Array;
  /** Takes the last samples, then ends. */
  close(): Promise<void>;
}

/** Where every sample is wanted: a worker at one in 64 fills a tenth of its ring meanwhile. */
const DRAIN_INTERVAL_MS = 50;
/** For the figures alone, of which a worker takes few samples: a page that refreshes sees no delay. */
const FIGURES_INTERVAL_MS = 250;
/** Of about 10 ms each: what an end may take. */
const LAST_TURNS = 10;

const DNSTAP_CONTENT = 'protobuf:dnstap.Dnstap';

/**
 * Takes what the DNS workers have sampled to those who look at it. Runs on the main thread, on a timer, a bounded time
 * at a turn; when it does not keep up, samples are dropped, and queries never wait.
 *
 *     workers' rings --> names as text --> tally --> /v1/traffic
 *                                     +--> query log --> file
 *                                     +--> dnstap --> collector
 *
 * Rejects with a `StartError` where the query log cannot be written.
 */
export async function observeTraffic(parts: TrafficParts): Promise<ObservedTraffic> {
  const { settings, server, log } = parts;
  const counters = openCounters(createCounters());
  const { sampleEvery } = settings;
  if (sampleEvery === 0 || server.samples.length === 0)
    return { source: undefined, counters, close: async () => undefined };

  const closers = new Closers();
  const namer = new SampleNamer(parts.names);
  const tally = new TrafficTally(sampleEvery, () => Date.now());
  const queryLog =
    settings.queryLog && (await openQueryLog(settings.queryLog, { sampleEvery, counters, log }));
  if (queryLog !== undefined) closers.add(() => queryLog.close());
  const dnstap = settings.dnstapSocket === undefined ? undefined : openDnstap(parts, counters);
  if (dnstap !== undefined) closers.add(() => dnstap.close());
  const drain = new SampleDrain({
    rings: server.samples,
    counters: server.counters.map(openCounters),
    onSample: (sample, scale) => {
      const named: NamedSample = namer.name(sample);
      tally.add(named, scale);
      parts.onSample?.(named, scale);
      queryLog?.add(named);
      dnstap?.add(named);
    },
    onDropped: (samples) => tally.addDropped(samples),
    nowMs: () => performance.now(),
  });
  const turn = (turns: number): void => {
    try {
      drain.drain(turns);
    } catch (error) {
      // The sample that it met is behind it; figures may be wrong, answers are not.
      log.error({ err: error }, 'a sampled query met a bug and is not counted');
    }
    queryLog?.flush();
    dnstap?.flush();
  };
  const figuresOnly = queryLog === undefined && dnstap === undefined;
  const timer = setInterval(() => turn(1), figuresOnly ? FIGURES_INTERVAL_MS : DRAIN_INTERVAL_MS);
  closers.add(async () => {
    clearInterval(timer);
    turn(LAST_TURNS);
  });
  return {
    source: tally,
    counters,
    close: async () => {
      for (const error of await closers.closeAll())
        log.warn({ err: error }, 'a log of queries did not end well');
    },
  };
}

async function openQueryLog(
  { file, every, clients }: QueryLogSettings,
  parts: { readonly sampleEvery: number; readonly counters: Float64Array; readonly log: Logger },
): Promise<QueryLog> {
  const { sampleEvery, counters, log } = parts;
  return new QueryLog({
    sink: await openSink(file),
    sampleEvery,
    every,
    clients,
    counters,
    onChange: (failure) => {
      if (failure === undefined) log.info({ file }, 'the query log can be written again');
      else log.error({ file, reason: failure }, 'the query log cannot be written; its lines are lost');
    },
  });
}

async function openSink(file: string): Promise<LineSink> {
  if (file === '-') return streamSink(process.stdout);
  try {
    return await RotatingFile.open(file, defaultFileLimits, () => performance.now());
  } catch (error) {
    const why = reasonOf(error);
    const message = `the query log ${file} cannot be written (${why}); correct --query-log`;
    throw new StartError([{ code: 'unusable-query-log', path: '', message }]);
  }
}

function openDnstap(
  { settings, identity, version, log }: TrafficParts,
  counters: Float64Array,
): { add(named: NamedSample): void; flush(): void; close(): Promise<void> } {
  const socket = settings.dnstapSocket ?? '';
  const encoder = new DnstapEncoder({ identity, version: `meridian ${version}` });
  const stream = new FrameStream({
    socket,
    contentType: DNSTAP_CONTENT,
    counters,
    random: () => Math.random(),
    onChange: (failure) => {
      if (failure === undefined) log.info({ socket }, 'the dnstap collector listens');
      else log.warn({ socket, reason: failure }, 'the dnstap collector is away; it is tried again');
    },
  });
  return {
    add: ({ sample }) => {
      stream.add(encoder.encodeQuery(sample));
      if (sample.responseLength > 0) stream.add(encoder.encodeResponse(sample));
    },
    flush: () => stream.flush(),
    close: () => stream.close(),
  };
}
