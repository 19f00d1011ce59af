import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import { address, alice, dataCenter, open, Scratch, zone } from '../store/given.ts';
import { meet } from '../store/meet.ts';

const scratch = new Scratch();
afterAll(() => scratch.clear());

const APEX = 'example.org.';
const leaves = ['dataCenters/fra', 'dataCenters/sin', `rrsets/${APEX}/www.${APEX} A`] as const;
type Leaf = (typeof leaves)[number];

/** A value of 0 is a deletion. */
function changeOf(leaf: Leaf, value: number): Change {
  const given = value === 0 ? undefined : value;
  if (leaf.startsWith('dataCenters/')) return dataCenter(leaf.slice('dataCenters/'.length), given);
  return address(APEX, `www.${APEX}`, given === undefined ? undefined : `192.0.2.${given}`);
}

/**
 * What a node must know of one leaf, in the plainest terms: a write takes the place of all that its node knew, and of
 * nothing else.
 */
interface Known {
  readonly live: ReadonlyMap<number, number>;
  readonly seen: ReadonlySet<number>;
}

const nothing: Known = { live: new Map(), seen: new Set() };

function afterWrite({ live, seen }: Known, write: number, value: number): Known {
  // Deleting what is nowhere writes nothing.
  if (value === 0 && [...live.values()].every((known) => known === 0)) return { live, seen };
  return { live: new Map([[write, value]]), seen: new Set([...seen, write]) };
}

function afterMeeting(one: Known, other: Known): Known {
  const stays = ([write]: readonly [number, number], from: Known): boolean => {
    const to = from === one ? other : one;
    return to.live.has(write) || !to.seen.has(write);
  };
  const live = [...one.live].filter((entry) => stays(entry, one));
  live.push(...[...other.live].filter((entry) => stays(entry, other)));
  return { live: new Map(live), seen: new Set([...one.seen, ...other.seen]) };
}

/** The values that are in use or wait beside it. */
function valuesOf(store: ReplicatedStore, leaf: Leaf): readonly number[] {
  const conflict = store.conflicts().find(({ id }) => id === leaf);
  const values = conflict?.values.map(({ value }) => value) ?? [presentValue(store, leaf)];
  return values.map(numberOf).sort((a, b) => a - b);
}

function presentValue({ config }: ReplicatedStore, leaf: Leaf): unknown {
  const [collection, key = '', part = ''] = leaf.split('/');
  if (collection === 'dataCenters') return config.dataCenters.get(key)?.value;
  return config.rrsets.get(key)?.get(part)?.value;
}

function numberOf(value: unknown): number {
  const known = value as { readonly latitude?: number; readonly records?: readonly string[] } | undefined;
  return known?.latitude ?? Number(known?.records?.[0]?.split('.').at(-1) ?? 0);
}

const write = fc.record({
  node: fc.nat({ max: 2 }),
  leaf: fc.constantFrom(...leaves),
  value: fc.nat({ max: 4 }),
});
const meeting = fc.record({ meets: fc.constantFrom([0, 1], [1, 2], [0, 2]) });

it('every acknowledged write is in use, waits in a conflict, or was overwritten by who knew it', async () => {
  const steps = fc.array(fc.oneof({ weight: 2, arbitrary: write }, meeting), { maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(steps, async (list) => {
      const nodes = await Promise.all([0, 1, 2].map(() => open(scratch.directory())));
      const known = nodes.map(() => new Map<Leaf, Known>());
      const [first, second, third] = nodes;
      if (first === undefined || second === undefined || third === undefined) throw new Error('three nodes');
      await first.commit([zone(APEX)], alice);
      await meet(first, second);
      await meet(first, third);
      const all: (typeof list)[number][] = [...list, { meets: [0, 1] }, { meets: [1, 2] }, { meets: [0, 1] }];
      for (const [index, step] of all.entries()) {
        if ('meets' in step) {
          const [one, other] = step.meets.map((node) => ({ store: nodes[node], known: known[node] }));
          if (one?.store === undefined || other?.store === undefined) throw new Error('two nodes');
          await meet(one.store, other.store);
          for (const leaf of leaves) {
            const after = afterMeeting(one.known?.get(leaf) ?? nothing, other.known?.get(leaf) ?? nothing);
            one.known?.set(leaf, after);
            other.known?.set(leaf, after);
          }
        } else {
          const { node, leaf, value } = step;
          await nodes[node]?.commit([changeOf(leaf, value)], alice);
          known[node]?.set(leaf, afterWrite(known[node]?.get(leaf) ?? nothing, index, value));
        }
        for (const [node, store] of nodes.entries()) {
          for (const leaf of leaves) {
            const live = new Set(known[node]?.get(leaf)?.live.values() ?? []);
            const want = live.size === 0 ? [0] : [...live].sort((a, b) => a - b);
            expect([node, leaf, valuesOf(store, leaf)]).toEqual([node, leaf, want]);
          }
        }
      }
      for (const store of nodes) await store.close();
    }),
    { numRuns: 30 },
  );
});
