import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import * as automerge from '@automerge/automerge';
import { afterEach, describe, expect, it } from 'vitest';
import { columnRows } from '../../src/store/bounds/column-rows.ts';
import { checkSyncBounds, MAX_UNFOLDED_OCTETS } from '../../src/store/bounds/sync-bounds.ts';
import { ROOT_DOCUMENT } from '../../src/store/document.ts';
import { alice, dataCenter, open, Scratch } from './given.ts';

/* What a member with a valid certificate may say so that it unfolds to more than the process can bear. */

const scratch = new Scratch();
afterEach(() => scratch.clear());

type Leaves = Record<string, automerge.ImmutableString> & { mine?: automerge.ImmutableString };

function leb(value: number): readonly number[] {
  const octets: number[] = [];
  let left = value;
  for (; left >= 128; left = Math.floor(left / 128)) octets.push(128 + (left % 128));
  return [...octets, left];
}

/** As `leb`, with the octet more that keeps the sign apart. */
function sleb(value: number): readonly number[] {
  const octets = leb(value);
  const last = octets.at(-1) ?? 0;
  return last < 64 ? octets : [...octets.slice(0, -1), last + 128, 0];
}

function counted(octets: readonly number[] | Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from(leb(octets.length)), Uint8Array.from(octets)]);
}

function chunk(type: number, contents: Uint8Array): Uint8Array {
  const body = Buffer.concat([Uint8Array.of(type), counted(contents)]);
  const sum = createHash('sha256').update(body).digest().subarray(0, 4);
  return Buffer.concat([Buffer.from('856f4a83', 'hex'), sum, body]);
}

const noOctets: Uint8Array = Uint8Array.of();

/** A change with one column of operations. */
function change({ startOp = 1, specification = 0x42, column = noOctets } = {}): Uint8Array {
  return Buffer.concat([
    Uint8Array.of(0),
    counted(new Uint8Array(16)),
    Uint8Array.from([1, ...leb(startOp), 0, 0, 0, 1]),
    Uint8Array.from([...leb(specification), ...leb(column.length)]),
    column,
  ]);
}

function message(...chunks: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x42, 0, 0, 0, chunks.length), ...chunks.map(counted)]);
}

function withFilter(...figures: readonly number[]): Uint8Array {
  return Buffer.concat([Uint8Array.of(0x42, 0, 0, 1, 0), counted(figures.flatMap(leb)), Uint8Array.of(0)]);
}

/** Zeros that take a thousandth. */
function deflatedZeros(octets: number): Uint8Array {
  return deflateRawSync(Buffer.alloc(octets));
}

const hostile: readonly {
  readonly name: string;
  readonly octets: () => Uint8Array;
  readonly says: RegExp;
}[] = [
  {
    name: 'a deflated column',
    octets: () =>
      message(chunk(1, change({ specification: 0x5f, column: deflatedZeros(MAX_UNFOLDED_OCTETS + 1) }))),
    says: /unfolds to more than/,
  },
  {
    name: 'a deflated change',
    octets: () => message(chunk(2, deflatedZeros(MAX_UNFOLDED_OCTETS + 1))),
    says: /unfolds to more than/,
  },
  {
    name: 'many that are small, together',
    octets: () => {
      const one = chunk(1, change({ specification: 0x5f, column: deflatedZeros(MAX_UNFOLDED_OCTETS / 4) }));
      return message(one, one, one, one);
    },
    says: /unfolds to more than/,
  },
  {
    name: 'a run of a billion rows',
    octets: () => message(chunk(1, change({ column: Uint8Array.from([...sleb(1e9), 1]) }))),
    says: /1000000000 rows/,
  },
  {
    name: 'a run of nulls without end',
    octets: () => message(chunk(1, change({ column: Uint8Array.from([0, ...leb(2 ** 60)]) }))),
    says: /malformed/,
  },
  {
    name: 'a counter that leaves nothing to count with',
    octets: () => message(chunk(1, change({ startOp: 2 ** 52 }))),
    says: /counter/,
  },
  {
    name: 'a counter that grows so by steps',
    octets: () =>
      message(chunk(1, change({ specification: 0x13, column: Uint8Array.from([2, ...sleb(2 ** 40)]) }))),
    says: /counter/,
  },
  {
    name: 'a filter with probes without end',
    octets: () => withFilter(1, 10, 2 ** 32 - 1, 0, 0),
    says: /filter/,
  },
  { name: 'a filter of no bits', octets: () => withFilter(1, 0, 7), says: /filter/ },
  { name: 'heads that are not there', octets: () => Uint8Array.of(0x42, ...leb(2 ** 50)), says: /early/ },
  {
    name: 'a chunk of an unknown kind',
    octets: () => message(chunk(9, Uint8Array.of())),
    says: /unknown kind/,
  },
  { name: 'nothing', octets: () => Uint8Array.of(), says: /malformed/ },
];

describe('the bounds of a sync message', () => {
  it.each(hostile)('refuse $name', ({ octets, says }) => {
    expect(() => checkSyncBounds(octets())).toThrow(says);
  });

  it('let pass what the engine itself says, whole documents and single changes', () => {
    let [one, two] = [automerge.init<Leaves>(), automerge.init<Leaves>()];
    let [here, there] = [automerge.initSyncState(), automerge.initSyncState()];
    let passed = 0;
    for (let round = 0; round < 12; round += 1) {
      if (round % 4 === 0) {
        one = automerge.change(one, (doc) => {
          for (let key = 0; key < 500; key += 1)
            doc[`k${key}`] = new automerge.ImmutableString(`${'leaf '.repeat(30)}${key} ${round}`);
        });
        two = automerge.change(two, (doc) => {
          doc.mine = new automerge.ImmutableString(`leaf ${round}`);
        });
      }
      const [nextHere, said] = automerge.generateSyncMessage(one, here);
      here = nextHere;
      if (said !== null) {
        checkSyncBounds(said);
        passed += 1;
        [two, there] = automerge.receiveSyncMessage(two, there, said);
      }
      const [nextThere, answer] = automerge.generateSyncMessage(two, there);
      there = nextThere;
      if (answer === null) continue;
      checkSyncBounds(answer);
      passed += 1;
      [one, here] = automerge.receiveSyncMessage(one, here, answer);
    }
    expect(passed).toBeGreaterThan(6);
    expect(automerge.getHeads(one)).toEqual(automerge.getHeads(two));
  });

  it('count what a group asks for of its columns', () => {
    expect(columnRows(0x30, Uint8Array.from([3, ...leb(1000)]))).toBe(3000);
    expect(columnRows(0x34, Uint8Array.of(2, 3))).toBe(5);
    expect(columnRows(0x55, Uint8Array.of(0x7e, 1, 65, 1, 66, 4, 1, 67))).toBe(6);
  });
});

describe('a store', () => {
  it('refuses such a message by name and goes on, with the same peer too', async () => {
    const store = await open(scratch.directory());
    await store.commit([dataCenter('fra', 1)], alice);
    const exchange = store.openExchange();
    const bomb = message(chunk(2, deflatedZeros(MAX_UNFOLDED_OCTETS + 1)));
    const { refused } = await store.receive(exchange, [
      { document: ROOT_DOCUMENT, message: Buffer.concat([Uint8Array.of(0), bomb]) },
    ]);
    expect(refused.map(({ reason }) => reason).join()).toMatch(/unfolds to more than/);
    await store.commit([dataCenter('fra', 2)], alice);
    expect(store.config.dataCenters.get('fra')?.value.latitude).toBe(2);
    expect(await store.generate(exchange, ROOT_DOCUMENT)).toBeDefined();
    await store.close();
  });
});
