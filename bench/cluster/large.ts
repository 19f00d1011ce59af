import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterNodes, putZone } from '../../test/e2e/cluster-nodes.ts';
import { addressesOf } from '../../test/e2e/dns-client.ts';
import { temporaryDirectory } from '../../test/e2e/node-process.ts';
import { eventually } from '../../test/until.ts';
import { meridianProgram } from '../compare/servers/meridian.ts';
import { finished, type LoadReport, runLoad, startLoad } from '../ground/load.ts';
import type { Part } from './ground.ts';

const ZONES = 100;
const BATCH = 1000;

/** Queries a second to the node that serves while it gives everything to the new one; far from what it can. */
const RATE = 2000;

/** 100,000 RRsets in 100 zones, and an empty node that joins: how long, how much memory, and what queries feel. */
export const large: Part = async ({ quick }, tell) => {
  const perZone = quick ? 50 : 1000;
  const scratch = temporaryDirectory();
  // The shipped geo table belongs to what a node needs.
  const cluster = await ClusterNodes.make(['ams', 'sin'], { program: meridianProgram, geo: 'shipped' });
  try {
    await cluster.run('ams');
    await fill(cluster, perZone);
    const names = join(scratch.path, 'names');
    writeFileSync(names, Array.from({ length: ZONES }, (_, zone) => `h0.${zoneName(zone)} A`).join('\n'));
    const { dnsPort: port } = cluster.node('ams').process;
    const flags = ['sleep'] as const;
    const before = await runLoad({ port, names, rate: RATE, seconds: 5, flags });
    const loading = startLoad({ port, names, rate: RATE, seconds: quick ? 5 : 30, flags });
    const during = finished(loading);
    const startedMs = performance.now();
    await cluster.run('sin');
    const readyMs = performance.now();
    const { dnsPort } = cluster.node('sin').process;
    for (let zone = 0; zone < ZONES; zone++)
      await eventually(
        async () => {
          const name = `h${perZone - 1}.${zoneName(zone)}`;
          return (await addressesOf(dnsPort, { name, type: 'A' })).length === 1 ? true : undefined;
        },
        { withinMs: 300_000, what: `the new node answers for ${zoneName(zone)}` },
      );
    await cluster.inTouch();
    const seconds = (performance.now() - startedMs) / 1000;
    const started = (readyMs - startedMs) / 1000;
    const what = `${ZONES * perZone} RRsets in ${ZONES} zones to a new node, from its start`;
    tell(
      what,
      `${seconds.toFixed(1)} s, of which ${started.toFixed(1)} s until it was ready`,
      '30 s',
      seconds <= 30,
    );
    const megabytes = peakMegabytes(cluster.node('sin').process.pid);
    tell('its greatest memory', `${megabytes} MB`, '700 MB', megabytes <= 700);
    const report = JSON.parse((await during).output) as LoadReport;
    const bound = before.p99Us * 2 + 1000;
    tell(
      `queries of the node that serves it, ${RATE} a second`,
      `p99 ${report.p99Us} us during, ${before.p99Us} us before; lost ${report.lost - report.notSent}`,
      'untouched: at most twice and 1 ms more',
      report.p99Us <= bound && report.lost === report.notSent,
    );
  } finally {
    await cluster.stop();
    scratch.remove();
  }
};

function zoneName(zone: number): string {
  return `z${zone}.example.org`;
}

async function fill(cluster: ClusterNodes, perZone: number): Promise<void> {
  const { api } = cluster.node('ams');
  for (let zone = 0; zone < ZONES; zone++) {
    const apex = zoneName(zone);
    await putZone(api, apex);
    for (let first = 0; first < perZone; first += BATCH) {
      const set = Array.from({ length: Math.min(BATCH, perZone - first) }, (_, index) => ({
        name: `h${first + index}.${apex}`,
        type: 'A',
        ttlSeconds: 300,
        records: [`198.18.${index >> 8}.${index & 0xff}`],
      }));
      const answer = await api.send('PATCH', `/v1/zones/${apex}/rrsets`, { set });
      if (!answer.ok) throw new Error(await answer.text());
    }
  }
}

function peakMegabytes(pid: number): number {
  const [, kilobytes] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kilobytes) / 1024);
}
