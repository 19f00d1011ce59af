import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { addressesOf } from '../test/e2e/dns-client.ts';
import { freePort, startEndpoint } from '../test/e2e/endpoint-process.ts';
import { startNodeProcess, temporaryDirectory } from '../test/e2e/node-process.ts';
import { eventually } from '../test/until.ts';
import { percentile } from './ground/percentile.ts';

/**
 * How long answers take to leave a data center whose process is killed, and to come back once it runs again.
 * A real node, real processes, one-second probes, fall 2, rise 2: the bound is fall (or rise) x interval + 1 s.
 * With `--watch` an idle connection is held open beside the probes, and the bound for leaving is half a second.
 *
 * Options: --watch, --runs N (100).
 */
const { values } = parseArgs({
  options: { watch: { type: 'boolean', default: false }, runs: { type: 'string', default: '100' } },
});
const runs = Number(values.runs);
const BACK_AT_MOST_MS = 3000;
const movedAtMostMs = values.watch ? 500 : 3000;

/** Of a hundred runs one may be late. */
const LATE_SHARE = 0.01;

/** After it has come back: the watched connection is open again, and the kill falls at any time of the interval. */
const REST_MS = 300;

const config = temporaryDirectory();
const data = temporaryDirectory();
const port = await freePort('127.0.3.1');
const near = await startEndpoint('127.0.3.1', port);
const far = await startEndpoint('127.0.3.2', port);
writeFileSync(
  join(config.path, 'meridian.yaml'),
  `dataCenters:
  - { name: fra, latitude: 50.11, longitude: 8.68 }
  - { name: sin, latitude: 1.35, longitude: 103.82 }
monitors:
  - { name: web, kind: http, port: ${port}, intervalSeconds: 1, timeoutSeconds: 0.5, fall: 2, rise: 2, flapping: { holdDownSeconds: 0, maxHoldDownSeconds: 0 }, settings: { watch: ${values.watch} } }
pools:
  - name: web
    monitor: web
    endpoints:
      - { name: fra, dataCenter: fra, address: 192.0.2.1, probeAddress: 127.0.3.1 }
      - { name: sin, dataCenter: sin, address: 192.0.2.2, probeAddress: 127.0.3.2 }
policies:
  - { name: closest, rank: { kind: nearest } }
steeredNames:
  - { name: www.example.org, pool: web, policy: closest }
`,
);
writeFileSync(
  join(config.path, 'example.org.zone'),
  '$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n',
);
const node = await startNodeProcess(['--data', data.path, '--config', config.path]);

async function answersWith(address: string): Promise<number> {
  const startMs = performance.now();
  await eventually(
    async () => {
      const question = { name: 'www.example.org', type: 'A', subnet: '84.128.0.0/24' };
      return (await addressesOf(node.dnsPort, question)).includes(address) ? true : undefined;
    },
    { withinMs: 20_000, what: `the answer is ${address}` },
  );
  return performance.now() - startMs;
}

function tell(what: string, times: readonly number[], atMostMs: number): void {
  const sorted = times.toSorted((one, other) => one - other);
  const at = (share: number): string => percentile(sorted, share).toFixed(0);
  const late = times.filter((time) => time > atMostMs).length;
  const kept = late <= times.length * LATE_SHARE;
  console.log(
    `${what}: min ${at(0)} ms, median ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms; ` +
      `${late} of ${times.length} over ${atMostMs} ms: ${kept ? 'kept' : 'missed'}`,
  );
  if (!kept) process.exitCode = 1;
}

try {
  await answersWith('192.0.2.1');
  const moved: number[] = [];
  const back: number[] = [];
  for (let run = 0; run < runs; run++) {
    await delay(REST_MS + Math.random() * 1000);
    await near.kill();
    moved.push(await answersWith('192.0.2.2'));
    await near.start();
    back.push(await answersWith('192.0.2.1'));
  }
  tell('kill -9 to moved answers', moved, movedAtMostMs);
  tell('running again to answers back', back, BACK_AT_MOST_MS);
} finally {
  await node.stop();
  await near.kill();
  await far.kill();
  config.remove();
  data.remove();
}
