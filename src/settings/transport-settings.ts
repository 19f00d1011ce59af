import { didYouMean } from '../config/did-you-mean.ts';
import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

const socketKinds = ['auto', 'addon', 'node'] as const;

/** `auto` takes the addon where it is built and Node's own sockets elsewhere; `addon` does not start without. */
export type SocketKind = (typeof socketKinds)[number];

/** More threads than cores only take turns, and one core of many belongs to the rest of the node. */
const MAX_DNS_WORKERS = 64;

const socketsFlag: Flag = {
  name: 'sockets',
  value: 'KIND',
  variable: 'MERIDIAN_SOCKETS',
  summary: `What carries DNS: "addon" (batches, Linux), "node" (slower, everywhere) or "auto", the addon where it is built. Default: auto`,
};

const dnsWorkersFlag: Flag = {
  name: 'dns-workers',
  value: 'N',
  variable: 'MERIDIAN_DNS_WORKERS',
  summary: `Threads that answer over UDP, 1 to ${MAX_DNS_WORKERS}. Default: one for each core; without the addon one where the system cannot share a port, or sockets are given`,
};

export const transportFlags: readonly Flag[] = [socketsFlag, dnsWorkersFlag];

export function parseSocketKind(given: GivenSettings): Parsed<SocketKind> {
  const chosen = oneText(socketsFlag, given);
  if (!chosen.ok) return chosen;
  const kind = socketKinds.find((known) => known === (chosen.value ?? 'auto'));
  if (kind !== undefined) return { ok: true, value: kind };
  const hint = didYouMean(chosen.value ?? '', socketKinds) || ` Use one of ${socketKinds.join(', ')}.`;
  return refused('bad-sockets', '--sockets', `--sockets: "${chosen.value}" is not known.${hint}`);
}

/** Undefined for one thread per core. */
export function parseDnsWorkers(given: GivenSettings): Parsed<number | undefined> {
  const chosen = oneText(dnsWorkersFlag, given);
  if (!chosen.ok) return chosen;
  if (chosen.value === undefined) return { ok: true, value: undefined };
  const count = /^\d{1,3}$/.test(chosen.value) ? Number(chosen.value) : 0;
  if (count >= 1 && count <= MAX_DNS_WORKERS) return { ok: true, value: count };
  const message = `--dns-workers: "${chosen.value}" is not a whole number from 1 to ${MAX_DNS_WORKERS}.`;
  return refused('bad-dns-workers', '--dns-workers', message);
}
