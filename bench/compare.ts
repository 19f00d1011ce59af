/*
 * Meridian beside gdnsd, knot, nsd and pdns: the same zone, the same mmdb, in turn on one core, asked from another.
 * The figure is queries per CPU second of the server, paired by round. `npm run bench compare -- --help` for more.
 */
import { compareUsage, readCompareArguments } from './compare/arguments.ts';
import { measureWorld } from './compare/measure-rows.ts';
import { keepsBounds, type Measured, reportOf } from './compare/report.ts';
import type { Ground } from './compare/start-kind.ts';
import { dataCenters, prepareGeography } from './ground/geography.ts';
import { machineLine } from './ground/machine.ts';
import { temporaryDirectory } from './ground/temporary.ts';

const argv = process.argv.slice(2);
if (argv.includes('--help')) {
  console.log(compareUsage);
  process.exit(0);
}
const args = readCompareArguments(argv);
const directory = temporaryDirectory('compare', args.keep ? 'keep' : 'remove');
const ground: Ground = {
  geography: prepareGeography(args.mmdb),
  centers: dataCenters(9),
  directory,
  core: args.core.server,
  say: (text) => console.error(`bench: ${text}`),
};
const all: Measured[] = [];
for (const world of ['standard', 'million'] as const)
  if (args.rows.some((row) => row.world === world)) all.push(...(await measureWorld(ground, args, world)));
const told = `${args.rounds} rounds of ${args.seconds} s after ${args.warmup} s of warm-up; server on core ${args.core.server}, load on core ${args.core.load}.`;
console.log(reportOf(all, machineLine(), told));
if (all.some((measured) => keepsBounds(measured) === false)) process.exitCode = 1;
