/*
 * Connections over an addon that is played: a batch of clients comes up with one query each, then brings eight at once,
 * then ends. Run by `tcp-hot-path.test.ts` with the number of connections; tells what the collector had to do in each
 * round of them.
 */
import { createCounters, openCounters, readCounter } from '../../src/observe/counters.ts';
import { Answerer } from '../../src/server/answerer.ts';
import type { Native } from '../../src/server/native.ts';
import {
  EVENT_ACCEPTED,
  EVENT_ENDED,
  EVENT_RECEIVED,
  TCP_EVENT_WORDS,
  type TcpLoop,
} from '../../src/server/native-tcp.ts';
import { createRandomSource } from '../../src/server/random.ts';
import { defaultServerLimits } from '../../src/server/server-limits.ts';
import { TcpBatchTransport } from '../../src/server/tcp-batch-transport.ts';
import { Precedence } from '../../src/server/thread-priority.ts';
import { frame } from './framed-client.ts';
import { measureRounds } from './heap-rounds.ts';
import { queryFor, testSnapshot } from './test-snapshot.ts';

const BATCH = 32;
const PIPELINED = 8;
const ROUNDS = 4;

const query = frame(queryFor('www.example.org', 'A'));
let input = new Uint8Array(0);
let events = new Int32Array(0);
let clients = new Uint8Array(0);
let connections = 0;
let wanted = 0;
let phase = 0;

function put(index: number, what: number, connection: number, one: number, other: number): void {
  const at = index * TCP_EVENT_WORDS;
  events[at] = what;
  events[at + 1] = connection;
  events[at + 2] = one;
  events[at + 3] = other;
}

const played = {
  createTcpLoop: (
    _capacity: number,
    _wake: number,
    inputOf: Uint8Array<ArrayBuffer>,
    _output: Uint8Array,
    _commands: Int32Array,
    eventsOf: Int32Array<ArrayBuffer>,
    clientsOf: Uint8Array<ArrayBuffer>,
  ): TcpLoop => {
    input = inputOf;
    events = eventsOf;
    clients = clientsOf;
    for (let at = 0; at < PIPELINED; at++) input.set(query, at * query.length);
    return {} as TcpLoop;
  },
  exchangeTcp: (): number => {
    if (connections >= wanted && phase === 0) return 0;
    phase = (phase + 1) % 3;
    let count = 0;
    for (let connection = 0; connection < BATCH; connection++) {
      if (phase === 1) {
        clients[connection * 16] = connection;
        put(count++, EVENT_ACCEPTED, connection, 4, 5353);
        put(count++, EVENT_RECEIVED, connection, 0, query.length);
        connections++;
      } else if (phase === 2) put(count++, EVENT_RECEIVED, connection, 0, PIPELINED * query.length);
      else put(count++, EVENT_ENDED, connection, 0, 0);
    }
    return count;
  },
};

const counters = openCounters(createCounters());
const bugs: unknown[] = [];
const answerer = new Answerer(testSnapshot(), counters, createRandomSource(), (error) => bugs.push(error));
const transport = new TcpBatchTransport({
  answer: answerer.answer,
  tick: answerer.tick,
  counters,
  limits: defaultServerLimits,
  native: played as unknown as Native,
  wake: -1,
  precedence: new Precedence(undefined),
  rung: () => false,
});

function run(count: number): void {
  connections = 0;
  wanted = count;
  transport.serve();
}

const count = Number(process.argv[2]);
// The compiler's own work allocates until everything has been optimized.
run(count);
const rounds = await measureRounds(ROUNDS, () => run(count));
console.log(
  JSON.stringify({
    accepted: readCounter([counters], 'tcpEvents', 'accepted'),
    answered: readCounter([counters], 'outcomes', 'answer'),
    rounds,
    bugs: bugs.map(String),
  }),
);
