/*
 * Runs histories of the simulated cluster, as many as wanted: three to seven nodes with real stores and the real
 * synchronisation, over a network, disks and clocks in memory. A history that breaks an invariant is told with its
 * seed, and the run ends with an error.
 * Options: --histories N (1000), --seed S of the first (1).
 */
import { parseArgs } from 'node:util';
import { runHistory } from '../test/simulation/cluster/sim-world.ts';

/** As many failures say enough. */
const MOST_TOLD = 20;
const TELL_EVERY = 1000;

const { values } = parseArgs({
  options: { histories: { type: 'string', default: '1000' }, seed: { type: 'string', default: '1' } },
});
const histories = Number(values.histories);
const firstSeed = Number(values.seed);
if (!Number.isSafeInteger(histories) || histories < 1 || !Number.isSafeInteger(firstSeed)) {
  console.error('bench: --histories takes a whole number of 1 or more, --seed a whole number');
  process.exit(2);
}

const startedMs = performance.now();
const sums = { acknowledged: 0, faults: 0, framesDelivered: 0 };
let slowestMs = 0;
let broken = 0;
for (let count = 0; count < histories && broken < MOST_TOLD; count += 1) {
  const outcome = await runHistory(firstSeed + count);
  sums.acknowledged += outcome.acknowledged;
  sums.faults += outcome.faults;
  sums.framesDelivered += outcome.framesDelivered;
  slowestMs = Math.max(slowestMs, outcome.convergedMs);
  if (outcome.problems.length > 0) {
    broken += 1;
    console.log(`seed ${outcome.seed}, ${outcome.nodes} nodes:\n  ${outcome.problems.join('\n  ')}`);
  }
  if ((count + 1) % TELL_EVERY === 0) console.log(`${count + 1} histories, ${broken} broken`);
}
const { acknowledged, faults, framesDelivered } = sums;
console.log(
  `${histories} histories from seed ${firstSeed} in ${((performance.now() - startedMs) / 1000).toFixed(0)} s: ` +
    `${acknowledged} acknowledged writes, ${faults} faults, ${framesDelivered} frames; ` +
    `equal at most ${(slowestMs / 1000).toFixed(1)} simulated s after the last fault; ${broken} broken`,
);
if (broken > 0) process.exitCode = 1;
