import type { Collection } from './model.ts';

/** Slots of the verdict table, which every worker shares: 64 KiB. */
export const MAX_ENDPOINTS = 65_536;

/** An order of data centers is a fixed array in every decision; the design's 50, with room. */
export const MAX_DATA_CENTERS = 256;

/**
 * Beyond this many RRsets a zone is edited as a whole and not record by record: each record takes a kilobyte or two
 * of memory while it can be edited, and a hundred octets in a zone file's image. Put such a zone into a zone file.
 */
export const MAX_API_RRSETS_PER_ZONE = 131_072;

/** Most resources of each kind; each is far above any deployment we know, and small enough to list and to check. */
export const MAX_RESOURCES: Readonly<Record<Collection, number>> = {
  dataCenters: MAX_DATA_CENTERS,
  // Bounded in effect by the endpoints.
  pools: 20_000,
  monitors: 5_000,
  // Each used one is compiled into maps of a few megabytes.
  policies: 5_000,
  zones: 50_000,
  steeredNames: 100_000,
  overrides: 10_000,
  maintenanceWindows: 5_000,
  // Each message goes to every channel.
  alertChannels: 100,
  // Beyond a dozen they meet over NATS; nobody has hundreds.
  nodes: 1_000,
  invitations: 1_000,
  // One for every node that ever left.
  removals: 20_000,
};

/**
 * Overrides and maintenance windows whose target is a glob: each is held against every endpoint when these change,
 * which for all of them and all endpoints takes a few hundred milliseconds.
 */
export const MAX_GLOB_TARGETS = 100;
