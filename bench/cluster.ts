/*
 * What five nodes on one machine show together: every line of the table in the issue of the cluster, each with its
 * bound. The nodes are processes of the built program on loopback, with one query thread each and, where it does not
 * matter, a geo table of a few octets.
 *
 * Options: --only PART, several with commas (visible, observations, partition, kills, alone, death, vantage, large);
 * --rounds N of writes, kills or deaths; --quick for a look at whether it works.
 */
import { parseArgs } from 'node:util';
import { alone } from './cluster/alone.ts';
import { cutVantage, death } from './cluster/death.ts';
import type { Part } from './cluster/ground.ts';
import { kills } from './cluster/kills.ts';
import { large } from './cluster/large.ts';
import { partition } from './cluster/partition.ts';
import { visible, visibleWithObservations } from './cluster/visible.ts';
import { machineLine } from './ground/machine.ts';

const parts: Readonly<Record<string, Part>> = {
  visible,
  observations: visibleWithObservations,
  partition,
  kills,
  alone,
  death,
  vantage: cutVantage,
  large,
};

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
  },
});
const names = values.only?.split(',') ?? Object.keys(parts);
const unknown = names.filter((name) => !Object.hasOwn(parts, name));
if (unknown.length > 0)
  throw new Error(`no part ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);

// The nodes end with this process, which ends in an orderly way.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

console.log(machineLine());
for (const name of names) {
  try {
    const extent = {
      quick: values.quick,
      rounds: values.rounds === undefined ? undefined : Number(values.rounds),
    };
    await parts[name]?.(extent, (what, measured, bound, kept) => {
      console.log(`${name}: ${what}: ${measured} (bound ${bound}): ${kept ? 'kept' : 'missed'}`);
      if (!kept) process.exitCode = 1;
    });
  } catch (error) {
    console.log(`${name}: failed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
