/*
 * How rarely lost probes take an endpoint out of service that is up, and how long a true death takes to be seen: a
 * million hours of probing, simulated by the functions that a node runs.
 */
import {
  quantile,
  seededRandom,
  simulateDetection,
  simulatedMonitor,
  simulateLoss,
} from '../test/simulation/false-failover-world.ts';

const PROBE_HOURS = 1_000_000;
const SEED = Number(process.argv[2] ?? 1);

const startedMs = performance.now();
for (const vantages of [1, 3]) {
  const { probes, losses, vantageFalls, falseFailovers } = simulateLoss({
    monitor: simulatedMonitor(),
    endpoints: 100,
    vantages,
    lossShare: 0.01,
    probeHours: PROBE_HOURS,
    random: seededRandom(SEED),
  });
  console.log(
    `${vantages} vantages, ${PROBE_HOURS} probe-hours, ${probes} probes, ${losses} lost: single vantages said down ${vantageFalls} times, false failovers ${falseFailovers}`,
  );
}
console.log(`simulated in ${((performance.now() - startedMs) / 1000).toFixed(1)} s, seed ${SEED}`);

const cases = [
  { name: 'default settings (10 s, fall 3, timeout 3 s)', given: {} },
  {
    name: 'every second, fall 2, timeout 0.5 s',
    given: { intervalSeconds: 1, fall: 2, timeoutSeconds: 0.5 },
  },
];
for (const { name, given } of cases) {
  for (const death of ['refused', 'silent'] as const) {
    const delays = simulateDetection({
      monitor: simulatedMonitor(given),
      vantages: 3,
      death,
      runs: 100_000,
      random: seededRandom(SEED),
    });
    const seconds = [0.5, 0.9, 0.99, 1].map((share) => (quantile(delays, share) / 1000).toFixed(2));
    console.log(
      `${name}, ${death}: death to verdict of three vantages, median ${seconds[0]} s, 90 % ${seconds[1]} s, 99 % ${seconds[2]} s, worst ${seconds[3]} s`,
    );
  }
}
