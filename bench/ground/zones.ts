/* The zones that every server serves in the comparison, and the questions that the load asks. */

import { once } from 'node:events';
import { createWriteStream, existsSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import type { DataCenter } from './geography.ts';

export const APEX = 'example.org';
/** The steered name. */
export const STEERED = `www.${APEX}`;
export const STEERED_TTL_SECONDS = 30;

/** The steered name and ten thousand static ones, or a million static ones alone. */
export type World = 'standard' | 'million';

const staticNames: Readonly<Record<World, number>> = { standard: 10_000, million: 1_000_000 };

/** The zone's lines, without the steered name, which each server writes its own way. */
export function* zoneLines(world: World): Generator<string> {
  yield '$TTL 300';
  yield `@ IN SOA ns1 hostmaster 1 7200 900 1209600 300`;
  yield '@ IN NS ns1';
  yield 'ns1 IN A 203.0.113.53';
  for (let i = 0; i < staticNames[world]; i++) yield `host-${i} IN A ${addressOf(i)}`;
}

/** A file of questions in random order, so that neither server nor generator walks its memory in order. */
export async function staticQuestions(world: World): Promise<string> {
  const path = join(cacheDirectory(), `questions-${world}`);
  if (existsSync(path)) return path;
  const order = Uint32Array.from({ length: staticNames[world] }, (_, i) => i);
  shuffle(order);
  await writeLines(
    path,
    order.values().map((i) => `host-${i}.${APEX} A ${addressOf(i)}`),
  );
  return path;
}

/** The steered name; any of the data centers' addresses will do. */
export function steeredQuestions(centers: readonly DataCenter[]): string {
  const path = join(cacheDirectory(), `questions-steered-${centers.length}`);
  writeFileSync(path, `${STEERED} A ${centers.map(({ address }) => address).join(',')}\n`);
  return path;
}

/** Writes lines as they come; a million need not be in memory at once. */
export async function writeLines(path: string, lines: Iterable<string>): Promise<void> {
  // Half a file from a run that was stopped must not be taken for a whole one.
  const file = createWriteStream(`${path}.new`);
  for (const line of lines) if (!file.write(`${line}\n`)) await once(file, 'drain');
  file.end();
  await once(file, 'finish');
  renameSync(`${path}.new`, path);
}

/** Each name has an address of its own among the documentation prefixes' 512; enough to notice a mix-up. */
function addressOf(i: number): string {
  return `${i & 256 ? '198.51.100' : '203.0.113'}.${i & 255}`;
}

function shuffle(list: Uint32Array): void {
  let state = 0x9e3779b9;
  for (let at = list.length - 1; at > 0; at--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const other = (state >>> 0) % (at + 1);
    const kept = list[at] ?? 0;
    list[at] = list[other] ?? 0;
    list[other] = kept;
  }
}
