import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { decodeMessage } from '../../src/dns/message.ts';
import { createGeoLook } from '../../src/geofiles/watch-geo-files.ts';
import { BootedImages } from '../../src/node/boot/booted-images.ts';
import { Compiler } from '../../src/node/compile/compiler.ts';
import { Publisher } from '../../src/node/compile/publisher.ts';
import { type DnsServer, serveDns } from '../../src/server/serve-dns.ts';
import type { SnapshotMessage } from '../../src/snapshot/snapshot.ts';
import { createVerdictTable } from '../../src/snapshot/verdict-table.ts';
import { steeredConfig } from '../answer/steered-zone.ts';
import { prefixBits, writeMmdb } from '../geo/mmdb-writer.ts';
import { queryOf } from './dns-client.ts';

/*
 * A DNS server under a stream of queries, while the operator's geo file is replaced: real files, the threads that
 * compile them, real sockets. What a node does every ten seconds, look at the file, is done by hand.
 */
const germany = { country_code: 'DE', latitude: { double: 50.5 }, longitude: { double: 9 } };
const singapore = { country_code: 'SG', latitude: { double: 1.3 }, longitude: { double: 103.8 } };
const fra = '203.0.113.1';
const ams = '203.0.113.2';
const sin = '203.0.113.3';

/** Each generation with what it answers: the address of the nearest data center, and the scope. */
const generations = {
  one: {
    file: writeMmdb([
      { bits: prefixBits('192.0.2.0/25'), value: germany },
      { bits: prefixBits('192.0.2.128/25'), value: singapore },
    ]),
    want: {
      '192.0.2.0/28': `${fra}/25`,
      '192.0.2.64/28': `${fra}/25`,
      '192.0.2.128/28': `${sin}/25`,
    },
  },
  other: {
    file: writeMmdb([
      { bits: prefixBits('192.0.2.0/26'), value: singapore },
      { bits: prefixBits('192.0.2.64/26'), value: germany },
    ]),
    want: {
      '192.0.2.0/28': `${sin}/26`,
      '192.0.2.64/28': `${fra}/26`,
      // Where nothing is known, data centers are ranked by name.
      '192.0.2.128/28': `${ams}/25`,
    },
  },
} as const;
type Generation = (typeof generations)[keyof typeof generations];
type Subnet = keyof Generation['want'];
const subnets = Object.keys(generations.one.want) as Subnet[];

const SWAPS = 8;
/** Queries under way at any time. */
const WINDOW = 24;

let directory: string;
let path: string;
let compiler: Compiler;
let server: DnsServer;
let look: () => Promise<void>;
let published: Promise<unknown>;
let problems: string[];
/** Tables and maps of all generations so far. */
let images: WeakRef<SharedArrayBuffer>[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'geo-generations-'));
  path = join(directory, 'city.mmdb');
  writeFileSync(path, generations.one.file);
  compiler = new Compiler(join(directory, 'images'));
  const publisher = new Publisher({
    compiler,
    blobText: () => undefined,
    hasBlob: () => false,
    compiledFile: () => undefined,
    booted: new BootedImages([]),
    verdicts: createVerdictTable(),
    serverId: new Uint8Array(),
    remembered: undefined,
  });
  const config = steeredConfig();
  const load = () => compiler.run<'geo-table'>({ kind: 'geo-table', paths: [path] });
  images = [];
  const build = async (table: SharedArrayBuffer): Promise<SnapshotMessage> => {
    const snapshot = await publisher.build(config, table);
    for (const image of [table, ...snapshot.maps]) if (image !== undefined) images.push(new WeakRef(image));
    return snapshot;
  };
  const table = await load();
  if (!table.ok) throw new Error(JSON.stringify(table.problems));
  server = await serveDns({
    addresses: [{ address: '127.0.0.1', port: 0 }],
    snapshot: await build(table.value),
    log: { debug: () => undefined, warn: () => undefined, error: () => undefined },
  });
  published = Promise.resolve();
  problems = [];
  look = createGeoLook(
    [path],
    (next) => {
      published = published.then(async () => server.publish(await build(next)));
    },
    (found) => problems.push(...found.map(({ code }) => code)),
    { load },
  );
  await look();
});

afterEach(async () => {
  await server.close();
  await compiler.close();
  rmSync(directory, { recursive: true });
});

/** A stream of queries over all subnets that never pauses; each answer sends the next query. */
class Stream {
  readonly #socket: Socket = createSocket('udp4');
  readonly #asked = new Map<number, Subnet>();
  /** Answers that neither generation gives. */
  readonly wrong: string[] = [];
  answered = 0;
  #lastId = 0;
  #goesOn = true;

  async start(): Promise<void> {
    this.#socket.bind(0, '127.0.0.1');
    await once(this.#socket, 'listening');
    this.#socket.on('message', (octets) => this.#hear(octets));
    for (let query = 0; query < WINDOW; query++) this.#ask();
  }

  /** Resolves when so many more answers have come. */
  async more(count: number): Promise<void> {
    const enough = this.answered + count;
    while (this.answered < enough) await once(this.#socket, 'message');
  }

  /** Sends nothing more; resolves when every query was answered. */
  async end(): Promise<void> {
    this.#goesOn = false;
    while (this.#asked.size > 0) await once(this.#socket, 'message');
    this.#socket.close();
  }

  #ask(): void {
    this.#lastId = (this.#lastId + 1) & 0xffff;
    const subnet = subnets[this.#lastId % subnets.length] as Subnet;
    this.#asked.set(this.#lastId, subnet);
    const query = queryOf({ name: 'www.example.org', type: 'A', subnet }, this.#lastId);
    this.#socket.send(query, server.addresses[0]?.port ?? 0, '127.0.0.1');
  }

  #hear(octets: Uint8Array): void {
    const id = ((octets[0] ?? 0) << 8) | (octets[1] ?? 0);
    const subnet = this.#asked.get(id);
    if (subnet === undefined) return;
    this.#asked.delete(id);
    this.answered += 1;
    const told = answerOf(octets);
    if (!Object.values(generations).some(({ want }) => want[subnet] === told))
      this.wrong.push(`${subnet} ${told}`);
    if (this.#goesOn) this.#ask();
  }
}

/** The address and the scope. */
function answerOf(octets: Uint8Array): string {
  const message = decodeMessage(octets);
  if (!message.ok) return 'no message';
  const { answers, edns } = message.value;
  return `${answers.map(({ text }) => text).join()}/${edns?.clientSubnet?.scopePrefixLength}`;
}

/** What the server answers now, by subnet. */
async function answersNow(): Promise<Readonly<Record<string, string>>> {
  const socket = createSocket('udp4');
  const answers: Record<string, string> = {};
  for (const subnet of subnets) {
    const answer = once(socket, 'message');
    socket.send(queryOf({ name: 'www.example.org', type: 'A', subnet }), server.addresses[0]?.port ?? 0);
    const [octets] = await answer;
    answers[subnet] = answerOf(octets as Buffer);
  }
  socket.close();
  return answers;
}

/** As an operator should: the file is written beside and moved into place. */
function replaceFile(octets: Uint8Array): void {
  writeFileSync(`${path}.new`, octets);
  renameSync(`${path}.new`, path);
}

async function settle(): Promise<void> {
  await look();
  await look();
  await published;
}

it('goes over to each new geo file without losing a query or giving an answer of neither', async () => {
  const stream = new Stream();
  await stream.start();
  expect(await answersNow()).toEqual(generations.one.want);
  for (let swap = 0; swap < SWAPS; swap++) {
    const generation = swap % 2 === 0 ? generations.other : generations.one;
    await stream.more(WINDOW);
    replaceFile(generation.file);
    await settle();
    expect(await answersNow()).toEqual(generation.want);
  }
  await stream.end();
  expect(stream.wrong).toEqual([]);
  expect(stream.answered).toBeGreaterThan(SWAPS * WINDOW);
  expect(problems).toEqual([]);
});

it('stays with the geo table it has while the file is half written', async () => {
  const stream = new Stream();
  await stream.start();
  writeFileSync(path, generations.other.file.subarray(0, 100));
  await settle();
  expect(problems).toEqual(['geo-file-broken']);
  expect(await answersNow()).toEqual(generations.one.want);
  writeFileSync(path, generations.other.file);
  await settle();
  expect(await answersNow()).toEqual(generations.other.want);
  await stream.end();
  expect(stream.wrong).toEqual([]);
});

it('keeps nothing of the generations before', async () => {
  for (let swap = 0; swap < SWAPS; swap++) {
    replaceFile(swap % 2 === 0 ? generations.other.file : generations.one.file);
    await settle();
  }
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  expect(images.length).toBeGreaterThanOrEqual(3 * (SWAPS + 1));
  // What a finished turn of the event loop still holds is gone some turns later; a leak never is.
  while (keptImages() > MOST_KEPT) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
});

/** The table and the two maps in use, and those that a message on its way may still hold. */
const MOST_KEPT = 2 * 3;

function keptImages(): number {
  return images.filter((image) => image.deref() !== undefined).length;
}
