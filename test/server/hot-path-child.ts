/*
 * Answers queries of many kinds, in place, through the one function that the transports call. Run by
 * `hot-path.test.ts` with the number of queries; tells what the collector had to do in each round of them.
 */
import { createCounters, openCounters } from '../../src/observe/counters.ts';
import { createSampleRing, NO_RECORD, RingReader } from '../../src/observe/samples/sample-ring.ts';
import { Sampler } from '../../src/observe/samples/sampler.ts';
import { Answerer } from '../../src/server/answerer.ts';
import { createRandomSource } from '../../src/server/random.ts';
import { createSpillTable } from '../../src/snapshot/spill-table.ts';
import { createWorldMessage, digPacket } from '../answer/world.ts';
import { limitOf, packetOf, protectionOf } from '../protection/guarded.ts';
import { measureRounds } from './heap-rounds.ts';

const ROUNDS = 4;

const world = createWorldMessage({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@        SOA ns1 hostmaster 1 3600 600 86400 60
@        NS  ns1
@        MX  10 mail
ns1      A   192.0.2.53
mail     A   192.0.2.25
www      A   192.0.2.1
www      AAAA 2001:db8::1
alias    CNAME www
*.any    TXT "from a wildcard"
sub      NS  ns.sub
ns.sub   A   192.0.2.54
`,
  ],
  steered: [
    {
      name: 'app.example.org.',
      pool: ['fra A 192.0.2.10', 'fra A 192.0.2.11', 'nyc A 192.0.2.20', 'sin AAAA 2001:db8::30'],
    },
    {
      name: 'many.example.org.',
      pool: ['fra A 192.0.2.10', 'fra A 192.0.2.11', 'fra A 192.0.2.12'],
      answers: 2,
    },
  ],
  serverId: 'hot',
});

const questions = [
  'www.example.org A',
  'WwW.eXample.org AAAA +edns',
  'alias.example.org A +edns',
  'some.any.example.org TXT',
  'x.sub.example.org A +edns',
  'example.org MX +edns +do',
  'nobody.example.org A +edns',
  'www.example.org TXT',
  'www.example.net A',
  'example.org ANY +edns',
  'app.example.org A +subnet=198.51.100.0/24',
  'app.example.org A +subnet=198.51.100.200/32',
  'app.example.org AAAA +subnet=2001:db8:1::/56',
  'app.example.org A +edns +nsid',
  'many.example.org A +subnet=192.0.2.0/24',
];
/** An answer's cookie for this clock is not known here: a bad one costs most, a new one goes the common way. */
const cookies = [
  packetOf('www.example.org A', { cookie: '2464c4abcf10c957' }),
  packetOf('app.example.org A', { cookie: '2464c4abcf10c957010000005cf79f111f8130c3eee29480' }),
];
const packets = [...questions.map((question) => digPacket(question).packet), ...cookies];

const counters = openCounters(createCounters());
const bugs: unknown[] = [];
const protection = protectionOf({
  // The clock stands still here: at the end the credit is used up, and slips and drops come as well.
  rateLimit: limitOf({ responsesPerSecond: 100_000 }),
  access: { deny: ['203.0.113.0/24', '2001:db8:ffff::/48'], allow: [], denied: 'drop' },
});
const random = createRandomSource();
// Some are passed on, some kept, and with them every way through a choice.
const spills = createSpillTable().fill(20_000);
// Dense enough that a sample's own cost would show.
const ring = createSampleRing(2 ** 20);
const sampler = new Sampler({ every: 8, ring }, counters, random);
const samples = new RingReader(ring);
const report = (error: unknown): number => bugs.push(error);
const answerer = new Answerer({ ...world, protection, spills }, counters, random, report, sampler);
const slot = new Uint8Array(2048);
const client = { family: 4 as const, octets: Uint8Array.of(198, 51, 100, 1), port: 5353 };

function run(count: number): number {
  let octets = 0;
  for (let i = 0; i < count; i++) {
    const packet = packets[i % packets.length] as Uint8Array;
    for (let at = 0; at < packet.length; at++) slot[at] = packet[at] as number;
    octets += answerer.answer(slot, packet.length, client, 'udp', slot);
    if (i % 1024 === 0) emptyRing();
  }
  return octets;
}

function emptyRing(): void {
  while (samples.next() !== NO_RECORD);
  samples.release();
}

const queries = Number(process.argv[2]);

// The compiler's own work allocates until everything has been optimized.
const answered = run(queries);
const rounds = await measureRounds(ROUNDS, () => run(queries));
console.log(JSON.stringify({ queries, answered, rounds, bugs: bugs.map(String) }));
