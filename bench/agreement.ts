/*
 * Do we send clients where gdnsd sends them, on the same mmdb, and is every scope honest?
 * Random clients are asked for at both; then random points inside each scope that we answered must get that answer.
 * Options: --clients N (20,000 of each family), --mmdb FILE, --quick.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Reader } from 'maxmind';
import { formatAddress, formatPrefix, parsePrefix } from '../src/dns/address.ts';
import { distanceKm, pointOf } from '../src/geo/distance.ts';
import { fieldsOf } from '../src/geo/mmdb.ts';
import { askSteered, type ClientPrefix, type SteeredAnswer } from './compare/ask.ts';
import { startKind } from './compare/start-kind.ts';
import { type DataCenter, dataCenters, prepareGeography } from './ground/geography.ts';
import { machineLine } from './ground/machine.ts';
import { temporaryDirectory } from './ground/temporary.ts';

const AGREED_AT_LEAST = 0.999;
const POINTS_PER_SCOPE = 3;
/** As many disagreements are told one by one. */
const MOST_TOLD = 20;

const { values } = parseArgs({
  options: {
    clients: { type: 'string' },
    mmdb: { type: 'string', multiple: true, default: [] },
    quick: { type: 'boolean', default: false },
  },
});
const count = Number(values.clients ?? (values.quick ? 2000 : 20_000));
const geography = prepareGeography(values.mmdb);
const centers = dataCenters(9);
const directory = temporaryDirectory('agreement');
const say = (text: string): void => console.error(`bench: ${text}`);
const ground = { geography, centers, directory, core: undefined, say };
const reader = new Reader<never>(readFileSync(geography.mmdb));

let state = 0x51ed270b;
function randomOctet(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 8) & 255;
}

/** The octets of `prefix` with random bits past `length`. */
function inside(octets: Uint8Array, length: number): Uint8Array {
  return octets.map((octet, at) => {
    const kept = Math.min(8, Math.max(0, length - at * 8));
    const mask = (0xff00 >>> kept) & 0xff;
    return (octet & mask) | (randomOctet() & ~mask & 0xff);
  });
}

/** Any /24 that is unicast and not 0/8, 10/8 or 127/8. */
function randomV4(): ClientPrefix {
  for (;;) {
    const first = randomOctet();
    if (first === 0 || first === 10 || first === 127 || first >= 224) continue;
    return { family: 4, octets: Uint8Array.of(first, randomOctet(), randomOctet(), 0), length: 24 };
  }
}

const v6Prefixes = readFileSync(geography.v6Prefixes, 'utf8').trim().split('\n');

/** A /56 inside a prefix that the file knows. */
function randomV6(at: number): ClientPrefix {
  const prefix = parsePrefix(v6Prefixes[(at * 7919) % v6Prefixes.length] ?? '');
  if (prefix === undefined) throw new Error('a prefix of the geography cannot be read');
  const octets = inside(prefix.octets, prefix.length).map((octet, index) => (index < 7 ? octet : 0));
  return { family: 6, octets, length: 56 };
}

function placeOf(client: ClientPrefix): { readonly latitude: number; readonly longitude: number } {
  return fieldsOf(reader.get(formatAddress(client.octets)));
}

function kilometres(
  from: { readonly latitude: number; readonly longitude: number },
  address: string,
): number {
  const center = centers.find((one: DataCenter) => one.address === address);
  if (center === undefined || Number.isNaN(from.latitude)) return Number.NaN;
  return distanceKm(pointOf(from.latitude, from.longitude), pointOf(center.latitude, center.longitude));
}

interface Outcome {
  readonly family: string;
  readonly agreed: number;
  readonly oursNearer: number;
  readonly placeless: number;
  readonly asked: number;
  readonly points: number;
  readonly brokenScopes: number;
  readonly scopes: string;
}

function tellDisagreements(
  clients: readonly ClientPrefix[],
  ours: readonly SteeredAnswer[],
  theirs: readonly SteeredAnswer[],
): { readonly agreed: number; readonly oursNearer: number; readonly placeless: number } {
  let [agreed, oursNearer, placeless] = [0, 0, 0];
  for (const [at, client] of clients.entries()) {
    const [our, their] = [ours[at]?.address ?? '', theirs[at]?.address ?? ''];
    if (our === their) {
      agreed++;
      continue;
    }
    const place = placeOf(client);
    const [near, far] = [kilometres(place, our), kilometres(place, their)];
    if (Number.isNaN(near)) placeless++;
    else if (near <= far) oursNearer++;
    if (at - agreed < MOST_TOLD) {
      const where = Number.isNaN(place.latitude) ? 'no place' : `${place.latitude}, ${place.longitude}`;
      const prefix = formatPrefix(client.octets, client.length);
      say(
        `${prefix} (${where}): ours ${our} at ${near.toFixed(2)} km, gdnsd ${their} at ${far.toFixed(2)} km`,
      );
    }
  }
  return { agreed, oursNearer, placeless };
}

/** Random whole addresses inside what each answer said it holds for; the number of answers that are not so. */
async function checkScopes(
  port: number,
  clients: readonly ClientPrefix[],
  ours: readonly SteeredAnswer[],
): Promise<{ readonly points: number; readonly brokenScopes: number }> {
  const points = clients.flatMap((client, at) => {
    const scope = ours[at]?.scope ?? 0;
    return Array.from({ length: POINTS_PER_SCOPE }, () => ({
      client: { ...client, octets: inside(client.octets, scope), length: client.octets.length * 8 },
      of: at,
    }));
  });
  const answers = await askSteered(
    port,
    points.map(({ client }) => client),
  );
  let brokenScopes = 0;
  for (const [at, { client, of }] of points.entries()) {
    if (answers[at]?.address === ours[of]?.address) continue;
    brokenScopes++;
    const asked = clients[of];
    if (brokenScopes > MOST_TOLD || asked === undefined) continue;
    const scope = `${formatPrefix(asked.octets, asked.length)} was answered ${ours[of]?.address} with scope /${ours[of]?.scope}`;
    say(`${scope}, but ${formatAddress(client.octets)} gets ${answers[at]?.address}`);
  }
  return { points: points.length, brokenScopes };
}

/** The middle and the ends of the scopes: short ones are worth more to caches. */
function scopesOf(answers: readonly SteeredAnswer[]): string {
  const sorted = answers.map(({ scope }) => scope ?? -1).sort((one, other) => one - other);
  const at = (share: number): string => `/${sorted[Math.floor(share * (sorted.length - 1))]}`;
  return `${at(0)} ${at(0.5)} ${at(1)}`;
}

const outcomes: Outcome[] = [];
const [ours, theirs] = [
  await startKind(ground, 'meridian', 'standard'),
  await startKind(ground, 'gdnsd', 'standard'),
];
try {
  if (ours === undefined || theirs === undefined) throw new Error('both servers are needed');
  for (const [family, draw] of [
    ['IPv4 /24', randomV4],
    ['IPv6 /56', randomV6],
  ] as const) {
    const clients = Array.from({ length: count }, (_, at) => draw(at));
    const our = await askSteered(ours.port, clients);
    const their = await askSteered(theirs.port, clients);
    const told = tellDisagreements(clients, our, their);
    const checked = await checkScopes(ours.port, clients, our);
    say(`${family}: scopes of gdnsd (least, median, most) ${scopesOf(their)}`);
    outcomes.push({ family, asked: count, ...told, ...checked, scopes: scopesOf(our) });
  }
} finally {
  await ours?.stop();
  await theirs?.stop();
}
console.log(`${machineLine()}.\n`);
console.log(
  '| Clients | agree with gdnsd | of the others, ours is nearer | no place | scopes: least, median, most | points asked inside scopes | other answers there |',
);
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const { family, asked, agreed, oursNearer, placeless, points, brokenScopes, scopes } of outcomes)
  console.log(
    `| ${asked.toLocaleString('en')} random ${family} | ${((agreed / asked) * 100).toFixed(3)} % | ${oursNearer} of ${asked - agreed} | ${placeless} | ${scopes} | ${points.toLocaleString('en')} | ${brokenScopes} |`,
  );
const kept = outcomes.every(
  ({ agreed, asked, brokenScopes }) => agreed >= asked * AGREED_AT_LEAST && brokenScopes === 0,
);
if (!kept) process.exitCode = 1;
