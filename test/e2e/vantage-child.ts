import { monotonicClock } from '../../src/probing/clock.ts';
import { createProbeKinds } from '../../src/probing/probes/index.ts';
import { createVantage } from '../../src/probing/vantage.ts';
import type { VantageTarget } from '../../src/probing/vantage-targets.ts';

/** A vantage in a process of its own: argv has its name and its targets as JSON; observations go out line by line. */
const [, , name = '', targets = '[]'] = process.argv;

const vantage = createVantage({
  name,
  clock: monotonicClock,
  random: () => Math.random(),
  probeKinds: createProbeKinds({ execDirectory: undefined }),
  onObservation: (observation) => process.stdout.write(`${JSON.stringify(observation)}\n`),
});
vantage.setTargets(JSON.parse(targets) as VantageTarget[]);

// Without the test that reads it there is nothing to do.
process.stdin.on('end', () => process.exit(0)).resume();
