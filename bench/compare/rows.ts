import type { LoadOptions } from '../ground/load.ts';
import type { World } from '../ground/zones.ts';
import type { ServerName } from './servers/index.ts';

/** What a ratio has to reach: `server` against `against`, medians of paired rounds. */
export interface Bound {
  readonly server: ServerName;
  readonly against: ServerName;
  readonly atLeast: number;
}

/** One line of the comparison. */
export interface Row {
  readonly name: string;
  readonly title: string;
  readonly world: World;
  /** The steered name or the static ones. */
  readonly asks: 'steered' | 'static';
  readonly servers: readonly ServerName[];
  readonly bounds: readonly Bound[];
  /** `v6-prefixes` stands for the file of the geography. */
  readonly load: Omit<LoadOptions, 'port' | 'names'>;
  /** Memory is reported and bounded, too: at most that of this server. */
  readonly memoryAtMost?: ServerName;
}

const ours = (against: ServerName, atLeast: number): Bound => ({ server: 'meridian', against, atLeast });

export const rows: readonly Row[] = [
  {
    name: 'static-a',
    title: 'static A, no EDNS, 100 client sockets',
    world: 'standard',
    asks: 'static',
    servers: ['meridian', 'gdnsd', 'knot', 'nsd', 'pdns'],
    bounds: [ours('gdnsd', 1)],
    load: { sockets: 100 },
  },
  {
    name: 'geo-v4',
    title: 'geo by random ECS /24, 100 client sockets',
    world: 'standard',
    asks: 'steered',
    servers: ['meridian', 'gdnsd', 'knot', 'pdns'],
    bounds: [ours('gdnsd', 1), ours('knot', 1.4)],
    load: { sockets: 100, ecs: 'v4' },
  },
  {
    name: 'geo-v4-8',
    title: 'geo by random ECS /24, 8 client sockets',
    world: 'standard',
    asks: 'steered',
    servers: ['meridian', 'gdnsd', 'knot'],
    bounds: [ours('gdnsd', 1.2)],
    load: { sockets: 8, ecs: 'v4' },
  },
  {
    name: 'geo-zipf',
    title: 'geo by ECS /24, 10,000 prefixes by Zipf’s law, 100 client sockets',
    world: 'standard',
    asks: 'steered',
    servers: ['meridian', 'gdnsd', 'knot'],
    bounds: [],
    load: { sockets: 100, ecs: 'v4', zipf: 10_000 },
  },
  {
    name: 'geo-v6',
    title: 'geo by random ECS, IPv6 /56, 100 client sockets',
    world: 'standard',
    asks: 'steered',
    servers: ['meridian', 'gdnsd', 'knot'],
    bounds: [ours('gdnsd', 1)],
    load: { sockets: 100, ecs: 'v6-prefixes' },
  },
  {
    name: 'million',
    title: 'a static zone of a million names',
    world: 'million',
    asks: 'static',
    servers: ['meridian', 'gdnsd', 'knot', 'nsd'],
    bounds: [ours('gdnsd', 1)],
    load: { sockets: 100 },
    memoryAtMost: 'knot',
  },
  {
    name: 'cookies',
    title: 'cookies and rate limiting on, against off; clients with cookies',
    world: 'standard',
    asks: 'static',
    servers: ['meridian-protected', 'meridian-bare'],
    bounds: [{ server: 'meridian-protected', against: 'meridian-bare', atLeast: 0.95 }],
    // A client that shows its cookie is beyond the rate limit; what it costs is the cookie.
    load: { sockets: 100, sources: 100, flags: ['cookies'] },
  },
  {
    name: 'rate-limit',
    title: 'cookies and rate limiting on, against off; clients without cookies, in 100 prefixes',
    world: 'standard',
    asks: 'static',
    servers: ['meridian-protected', 'meridian-bare'],
    bounds: [{ server: 'meridian-protected', against: 'meridian-bare', atLeast: 0.95 }],
    load: { sockets: 100, sources: 100 },
  },
  {
    name: 'tcp-pipelined',
    title: 'TCP, 32 queries in flight on each of 8 connections',
    world: 'standard',
    asks: 'static',
    servers: ['meridian', 'meridian-node', 'gdnsd', 'knot'],
    bounds: [ours('gdnsd', 5)],
    load: { transport: 'tcp-pipelined', sockets: 8, window: 256, sources: 8 },
  },
  {
    name: 'tcp-one',
    title: 'TCP, one query in flight on each of 100 connections',
    world: 'standard',
    asks: 'static',
    servers: ['meridian', 'meridian-node', 'gdnsd', 'knot'],
    bounds: [ours('gdnsd', 0.9)],
    load: { transport: 'tcp-one', sockets: 100, sources: 100 },
  },
  {
    name: 'tcp-connect',
    title: 'TCP, a connection for each query, 100 at a time',
    world: 'standard',
    asks: 'static',
    servers: ['meridian', 'meridian-node', 'gdnsd', 'knot'],
    bounds: [ours('gdnsd', 0.7)],
    // So many addresses that no port is wanted again while its last connection lingers.
    load: { transport: 'tcp-connect', sockets: 100, sources: 250 },
  },
  {
    name: 'fallback',
    title: 'without the addon: static A, no EDNS, 100 client sockets',
    world: 'standard',
    asks: 'static',
    servers: ['meridian-node', 'gdnsd'],
    bounds: [{ server: 'meridian-node', against: 'gdnsd', atLeast: 0.5 }],
    load: { sockets: 100 },
  },
  {
    name: 'dnssec-ok',
    title: 'static A, DO bit, 100 client sockets (for information)',
    world: 'standard',
    asks: 'static',
    servers: ['meridian', 'gdnsd', 'knot', 'nsd', 'pdns'],
    bounds: [],
    load: { sockets: 100, flags: ['do'] },
  },
];
