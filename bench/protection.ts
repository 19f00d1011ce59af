/*
 * What protection costs a query: `respond` alone on one thread, in processor time, against the same without protection.
 * The sides take turns in every round, and each tells its best round.
 */
import { randomBytes } from 'node:crypto';
import { createAnswerScratch, respond } from '../src/answer/respond.ts';
import type { ProtectionSettings } from '../src/protection/settings.ts';
import { createRandomSource } from '../src/server/random.ts';
import { openSnapshot } from '../src/snapshot/snapshot.ts';
import { createWorldMessage } from '../test/answer/world.ts';
import { limitOf, packetOf, protectionOf } from '../test/protection/guarded.ts';

const ROUNDS = 12;
const QUERIES = 400_000;
/** As many as a busy server has at once: their accounts lie all over the table. */
const CLIENTS = 4096;
const NOW_SECONDS = 1_767_225_600;

const world = createWorldMessage({
  zones: [
    '$ORIGIN example.org.\n$TTL 300\n@ SOA ns1 h 1 2 3 4 5\n@ NS ns1\nns1 A 192.0.2.53\nwww A 192.0.2.1\n',
  ],
});
const clients = Array.from({ length: CLIENTS }, () => ({
  family: 4 as const,
  octets: new Uint8Array(randomBytes(4)),
  port: 53_000,
}));
const slot = new Uint8Array(1232);

interface Side {
  readonly name: string;
  readonly settings: Partial<ProtectionSettings> | 'off';
  readonly cookie: 'none' | 'new' | 'valid' | 'bad';
}

const off = { cookies: { enabled: false, required: false } };
const rateLimit = limitOf({ responsesPerSecond: 100_000 });
const access = {
  deny: Array.from({ length: 10_000 }, (_, i) => `10.${(i >> 8) & 255}.${i & 255}.0/25`),
  allow: [],
  denied: 'drop' as const,
};
const sides: readonly Side[] = [
  { name: 'no protection, plain EDNS', settings: 'off', cookie: 'none' },
  { name: 'cookies on, none shown', settings: {}, cookie: 'none' },
  { name: 'no protection, a cookie shown', settings: 'off', cookie: 'new' },
  { name: 'a new cookie', settings: {}, cookie: 'new' },
  { name: 'a valid cookie', settings: {}, cookie: 'valid' },
  { name: 'a bad cookie', settings: {}, cookie: 'bad' },
  { name: 'rate limit, no cookie', settings: { ...off, rateLimit }, cookie: 'none' },
  { name: 'rate limit and a new cookie', settings: { rateLimit }, cookie: 'new' },
  { name: 'rate limit and a valid cookie', settings: { rateLimit }, cookie: 'valid' },
  { name: 'access list of 10,000', settings: { ...off, access }, cookie: 'none' },
  { name: 'all of it, a new cookie', settings: { rateLimit, access }, cookie: 'new' },
];

function prepare({ settings, cookie }: Side): (count: number) => number {
  const snapshot = openSnapshot(
    settings === 'off' ? world : { ...world, protection: protectionOf(settings) },
  );
  const scratch = createAnswerScratch(createRandomSource());
  scratch.nowSeconds = NOW_SECONDS;
  const clientCookie = '2464c4abcf10c957';
  const packets = clients.map((client) => {
    if (cookie === 'none') return packetOf('www.example.org A', { edns: 'yes' });
    const first = packetOf('www.example.org A', { cookie: clientCookie });
    if (cookie === 'new') return first;
    if (cookie === 'bad')
      return packetOf('www.example.org A', {
        cookie: `${clientCookie}01000000${NOW_SECONDS.toString(16)}${'00'.repeat(8)}`,
      });
    const length = respond(scratch, snapshot, first, first.length, client, 'tcp', slot);
    return packetOf('www.example.org A', {
      cookie: Buffer.from(slot.subarray(length - 24, length)).toString('hex'),
    });
  });
  return (count) => {
    let octets = 0;
    // A tick now and then: the accounts are filled up, as by a clock.
    scratch.nowSeconds += 60;
    if (cookie === 'valid') scratch.nowSeconds -= 60;
    for (let i = 0; i < count; i++) {
      const packet = packets[i & (CLIENTS - 1)] as Uint8Array;
      for (let at = 0; at < packet.length; at++) slot[at] = packet[at] as number;
      octets += respond(
        scratch,
        snapshot,
        slot,
        packet.length,
        clients[i & (CLIENTS - 1)] as (typeof clients)[0],
        'udp',
        slot,
      );
    }
    return octets;
  };
}

const runs = sides.map(prepare);
const best = sides.map(() => Number.POSITIVE_INFINITY);
for (const run of runs) run(QUERIES);
for (let round = 0; round < ROUNDS; round++)
  for (const [i, run] of runs.entries()) {
    const before = process.cpuUsage();
    run(QUERIES);
    const { user, system } = process.cpuUsage(before);
    best[i] = Math.min(best[i] ?? 0, ((user + system) * 1000) / QUERIES);
  }
for (const [i, { name, cookie }] of sides.entries()) {
  const plain = best[cookie === 'none' ? 0 : 2] ?? 0;
  const cost = (best[i] ?? 0) - plain;
  console.log(
    `${name.padEnd(32)} ${(best[i] ?? 0).toFixed(0).padStart(5)} ns ${cost.toFixed(0).padStart(5)} more`,
  );
}
