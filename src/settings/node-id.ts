import { type Parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

/** Fits one answer beside everything else, and any host name (64 octets is Linux's own limit for those). */
const MAX_NODE_ID_OCTETS = 64;

export const nodeIdFlag: Flag = {
  name: 'node-id',
  value: 'TEXT',
  variable: 'MERIDIAN_NODE_ID',
  summary: `Told to who asks for NSID (RFC 5001), up to ${MAX_NODE_ID_OCTETS} octets. Default: the host name; --node-id= tells nothing.`,
};

export function parseNodeId(given: GivenSettings, hostname: string): Parsed<string> {
  const written = given.flags.values.get(nodeIdFlag.name) ?? [];
  // An empty flag is an answer here: the node then keeps its name to itself.
  const chosen: Parsed<string | undefined> =
    written.length === 1 ? { ok: true, value: written[0] } : oneText(nodeIdFlag, given);
  if (!chosen.ok) return chosen;
  if (chosen.value === undefined) return { ok: true, value: cutToOctets(hostname, MAX_NODE_ID_OCTETS) };
  const octets = new TextEncoder().encode(chosen.value).length;
  if (octets > MAX_NODE_ID_OCTETS)
    return refused(
      'node-id-too-long',
      '--node-id',
      `--node-id has ${octets} octets; at most ${MAX_NODE_ID_OCTETS} are allowed.`,
    );
  return { ok: true, value: chosen.value };
}

function cutToOctets(text: string, octets: number): string {
  let cut = text;
  while (new TextEncoder().encode(cut).length > octets) cut = cut.slice(0, -1);
  return cut;
}
