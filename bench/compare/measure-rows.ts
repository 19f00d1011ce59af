/* Starts the servers of a world, then asks them row by row, round by round, one after the other. */

import { type LoadReport, runLoad } from '../ground/load.ts';
import { memoryOctets, type ServerProcess } from '../ground/processes.ts';
import { staticQuestions, steeredQuestions, type World } from '../ground/zones.ts';
import type { CompareArguments } from './arguments.ts';
import type { Measured } from './report.ts';
import type { Row } from './rows.ts';
import type { ServerName } from './servers/index.ts';
import { type Ground, startKind } from './start-kind.ts';

/** A first round is warmed up so many times as long as a later one. */
const FIRST_WARMUP = 3;

/** Measures all rows of one world. Servers that are missing or do not start are left out, with a word. */
export async function measureWorld(
  ground: Ground,
  args: CompareArguments,
  world: World,
): Promise<readonly Measured[]> {
  const rows = args.rows.filter((row) => row.world === world);
  const wanted = new Set(rows.flatMap(({ servers }) => servers).filter((name) => args.servers.has(name)));
  const running = new Map<ServerName, ServerProcess>();
  try {
    for (const name of wanted) {
      const server = await startKind(ground, name, world);
      if (server === undefined) continue;
      running.set(name, server);
      // What waits for its turn must not run: one core is for one server at a time.
      server.signal('SIGSTOP');
    }
    const measured: Measured[] = [];
    for (const row of rows) measured.push(await measureRow(ground, args, row, running));
    return measured;
  } finally {
    await Promise.all(Array.from(running.values(), (server) => server.stop()));
  }
}

async function measureRow(
  ground: Ground,
  args: CompareArguments,
  row: Row,
  running: ReadonlyMap<ServerName, ServerProcess>,
): Promise<Measured> {
  const measured: Measured = { row, rounds: {}, memory: {} };
  const names = row.asks === 'steered' ? steeredQuestions(ground.centers) : await staticQuestions(row.world);
  for (let round = 0; round < args.rounds; round++) {
    for (const name of inTurn(row.servers, round)) {
      const server = running.get(name);
      if (server === undefined) continue;
      // The first time a server meets a kind of query it compiles and allocates for it.
      const warmup = round === 0 ? args.warmup * FIRST_WARMUP : args.warmup;
      const report = await measureOnce(ground, { ...args, warmup }, row, name, server, names);
      const reports = measured.rounds[name] ?? [];
      measured.rounds[name] = [...reports, report];
      if (row.memoryAtMost !== undefined) measured.memory[name] = memoryOctets(server.pids());
      const figures = `${Math.round(report.queries / report.cpuSeconds)} per CPU second, ${Math.round(report.perSecond)} per second`;
      ground.say(
        `${row.name} round ${round + 1}: ${name} ${figures}, wrong ${report.wrong}, lost ${report.lost}`,
      );
    }
  }
  return measured;
}

async function measureOnce(
  { geography, say }: Ground,
  args: CompareArguments,
  row: Row,
  name: ServerName,
  server: ServerProcess,
  names: string,
): Promise<LoadReport> {
  const { load } = row;
  server.signal('SIGCONT');
  try {
    return await runLoad(
      {
        ...load,
        ...(load.ecs === 'v6-prefixes' ? { ecs: geography.v6Prefixes } : {}),
        port: server.port,
        names,
        seconds: args.seconds,
        warmup: args.warmup,
        cpu: args.core.load,
        watch: server.pids(),
      },
      (text) => say(`${name}: ${text}`),
    );
  } finally {
    server.signal('SIGSTOP');
  }
}

/** Each round begins with another server, so that a drift of the machine meets all alike. */
function inTurn(servers: readonly ServerName[], round: number): readonly ServerName[] {
  const from = round % servers.length;
  return [...servers.slice(from), ...servers.slice(0, from)];
}
