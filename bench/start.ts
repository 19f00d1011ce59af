/*
 * From the start of the process to its first right answer, with everything on disk from an earlier run: the full city
 * mmdb, fifty data centers. A generator that is already running asks every 2 ms.
 * Options: --runs N (20), --mmdb FILE, --quick.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { meridianProgram, serveArguments, writeMeridianConfiguration } from './compare/servers/meridian.ts';
import { freePort } from './ground/free-port.ts';
import { dataCenters, prepareGeography } from './ground/geography.ts';
import { finished, startLoad } from './ground/load.ts';
import { machineLine } from './ground/machine.ts';
import { sleep, startServer, untilAtRest } from './ground/processes.ts';
import { temporaryDirectory } from './ground/temporary.ts';
import { APEX, steeredQuestions } from './ground/zones.ts';

const BOUND_MS = 300;
const POLL_MS = 2;
/** Until the generator has read its questions and asks; long before the server is started. */
const GENERATOR_READY_MS = 100;

const { values } = parseArgs({
  options: {
    runs: { type: 'string' },
    mmdb: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs ?? (values.quick ? 5 : 20));
const geography = prepareGeography(values.mmdb);
const centers = dataCenters(50);
const directory = temporaryDirectory('start');
mkdirSync(join(directory, 'data'));
const port = await freePort();
const assignment = { world: 'standard', directory, port, geography, centers } as const;
const config = await writeMeridianConfiguration(assignment);
const args = [meridianProgram, ...(await serveArguments(assignment, config))];
const env = { ...process.env, MERIDIAN_LOG_LEVEL: 'warn' };
const names = steeredQuestions(centers);

/** Milliseconds from just before the process is made to the answer. */
async function startOnce(): Promise<number> {
  const asking = startLoad({ port, names, ecs: 'v4', seconds: 60, poll: POLL_MS, flags: ['first-answer'] });
  const answered = finished(asking);
  await sleep(GENERATOR_READY_MS);
  // The same clock as the generator's: CLOCK_MONOTONIC.
  const started = process.hrtime.bigint();
  const server = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  const gone = new Promise<void>((resolve) => server.on('exit', () => resolve()));
  try {
    const { output } = await answered;
    const { answeredAtNs } = JSON.parse(output) as { readonly answeredAtNs: number };
    return (answeredAtNs - Number(started)) / 1e6;
  } finally {
    // It may still be settling; a node that is told to leave finishes its start first.
    await sleep(1500);
    server.kill('SIGTERM');
    await gone;
  }
}

const place = { port, core: undefined, name: `host-1.${APEX}`, log: join(directory, 'log') };
const began = performance.now();
const first = await startServer(
  { command: process.execPath, args, env: { MERIDIAN_LOG_LEVEL: 'warn' } },
  place,
);
const firstSeconds = (performance.now() - began) / 1000;
await untilAtRest(first);
await first.stop();
const times: number[] = [];
for (let run = 0; run < runs; run++) times.push(await startOnce());
const sorted = times.toSorted((one, other) => one - other);
const middle = sorted[sorted.length >> 1] ?? Number.NaN;
const show = (milliseconds: number | undefined): string => (milliseconds ?? Number.NaN).toFixed(0);
console.log(`${machineLine()}.\n`);
console.log(
  '| Start to first answer, city mmdb, 50 data centers | min | median | max | bound |\n| --- | --- | --- | --- | --- |',
);
console.log(
  `| from images on disk, ${runs} runs | ${show(sorted[0])} ms | ${show(middle)} ms | ${show(sorted.at(-1))} ms | ${BOUND_MS} ms |`,
);
console.log(`\nThe first start, without images, took ${firstSeconds.toFixed(1)} s.`);
if (middle > BOUND_MS) process.exitCode = 1;
