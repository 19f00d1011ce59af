import type { ServerKind } from '../server-kind.ts';
import { gdnsd } from './gdnsd.ts';
import { knot } from './knot.ts';
import { meridian, meridianBare, meridianProtected, meridianWithoutAddon } from './meridian.ts';
import { nsd } from './nsd.ts';
import { pdns } from './pdns.ts';

/** Every server that a row may name, in the order of the report. */
export const serverKinds = {
  meridian,
  'meridian-node': meridianWithoutAddon,
  'meridian-bare': meridianBare,
  'meridian-protected': meridianProtected,
  gdnsd,
  knot,
  nsd,
  pdns,
} satisfies Readonly<Record<string, ServerKind>>;

export type ServerName = keyof typeof serverKinds;
