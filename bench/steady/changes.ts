/* What changes while queries are answered: the zone's file once a second, overrides by the API. */
import { linkSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { askUdp } from '../../test/e2e/dns-client.ts';
import { type ServerProcess, sleep } from '../ground/processes.ts';

const REPLACE_EVERY_MS = 1000;
const ASK_EVERY_MS = 10;
/** No more writes at once: what waits longer is the server's to show, not the benchmark's. */
const WRITES_UNDER_WAY = 16;

export interface Replaced {
  /** From SIGHUP until the new version was answered, one for each replacement. */
  readonly liveAfterMs: number[];
}

export interface ZoneVersions {
  readonly zone: string;
  /** The first three numbers of the addresses of each version. */
  readonly versions: readonly string[];
  /** `<version>.zone` is here. */
  readonly ready: string;
  readonly config: string;
}

/** Replaces the zone once a second; where that takes longer, one after the other. */
export async function replaceZone(
  server: ServerProcess,
  { zone, versions, ready, config }: ZoneVersions,
  stop: AbortSignal,
  replaced: Replaced,
): Promise<void> {
  for (let round = 1; !stop.aborted; round++) {
    const started = performance.now();
    const version = versions[round % versions.length] ?? '';
    // The files stand ready: writing one here would take from the server what is measured.
    linkSync(join(ready, `${version}.zone`), join(ready, 'next.zone'));
    renameSync(join(ready, 'next.zone'), join(config, `${zone}.zone`));
    process.kill(server.pid, 'SIGHUP');
    while (!stop.aborted) {
      const answer = await askUdp(server.port, { name: `version.${zone}`, type: 'A' });
      if (answer?.answers[0]?.text === `${version}.1`) break;
      await sleep(ASK_EVERY_MS);
    }
    if (stop.aborted) return;
    replaced.liveAfterMs.push(performance.now() - started);
    await sleep(Math.max(0, REPLACE_EVERY_MS - (performance.now() - started)));
  }
}

export interface Written {
  /** Of every write that was accepted. */
  readonly tookMs: number[];
  readonly refused: Map<string, number>;
}

/** Overrides of the endpoints in turn, down and up; a write that does not fit into its time is not made up for. */
export async function writeOverrides(
  api: string,
  endpoints: readonly string[],
  perSecond: number,
  stop: AbortSignal,
  written: Written,
): Promise<void> {
  if (perSecond === 0) return;
  const underWay = new Set<Promise<void>>();
  const started = performance.now();
  for (let write = 0; !stop.aborted; write++) {
    await sleep(Math.max(0, started + (write * 1000) / perSecond - performance.now()));
    if (underWay.size >= WRITES_UNDER_WAY) continue;
    const endpoint = endpoints[write % endpoints.length] ?? '';
    const state = Math.floor(write / endpoints.length) % 2 === 0 ? 'down' : 'up';
    const one = writeOverride(api, endpoint, state, written).finally(() => underWay.delete(one));
    underWay.add(one);
  }
  await Promise.all(underWay);
}

async function writeOverride(api: string, endpoint: string, state: string, written: Written): Promise<void> {
  const started = performance.now();
  const target = { kind: 'endpoint', pool: 'web', endpoint };
  try {
    const response = await fetch(`${api}/v1/overrides/flip-${endpoint}`, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ state, target, reason: 'benchmark' }),
    });
    const text = await response.text();
    if (response.ok) written.tookMs.push(performance.now() - started);
    else countRefusal(written, text);
  } catch (error) {
    countRefusal(written, String(error));
  }
}

function countRefusal({ refused }: Written, reason: string): void {
  refused.set(reason, (refused.get(reason) ?? 0) + 1);
}
