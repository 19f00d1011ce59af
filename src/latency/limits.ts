/** Measurements of one batch: some 160 KB of JSON, and ten milliseconds of the main thread. */
export const MAX_BATCH_MEASUREMENTS = 2_000;

/** Nothing that crosses a network is faster, and who waits longer has gone. */
export const MIN_MILLISECONDS = 0.1;
export const MAX_MILLISECONDS = 10_000;

/** Older measurements do not count: routes of yesterday. */
export const MAX_AGE_MS = 86_400_000;

/** Clocks differ; a browser's that is further ahead is wrong. */
export const MAX_AHEAD_MS = 60_000;

/** Groups in memory: every AS with people in it, every country, and tens of thousands of busy prefixes. */
export const MAX_GROUPS = 100_000;

/** Sketches in memory: three data centers for each of so many groups. Each takes some 250 octets beside its cells. */
export const MAX_SKETCHES = 300_000;

/** Counted cells of all sketches, eight octets each; 16 MB, and with all sketches some 110 MB. */
export const MAX_CELLS = 2_000_000;

/** Data centers of one group; clients that measure more than these are no browsers. */
export const MAX_DATA_CENTERS_OF_GROUP = 64;

/** Prefixes in the maps: each may split a leaf, and a compile walks them all. The heaviest go first. */
export const MAX_MEASURED_PREFIXES = 10_000;

/** ASes in the maps; some 3,000 of them hold nine tenths of all people on the internet. */
export const MAX_MEASURED_ASNS = 3_000;

/** Every country there is. */
export const MAX_MEASURED_COUNTRIES = 300;

/**
 * Samples of one prefix that its AS and country take in one slot for one data center: a busy, or a lying, network does
 * not speak for its country.
 */
export const MAX_PREFIX_SHARE = 1;
