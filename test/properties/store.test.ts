import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import type { Change, Config } from '../../src/config/model.ts';
import { alice, open, Scratch, withoutGeneration } from '../store/given.ts';
import { meet } from '../store/meet.ts';
import { change } from './change-arbitrary.ts';

const scratch = new Scratch();
afterAll(() => scratch.clear());

/** What a store must hold, in the plainest terms: values by path. */
class Model {
  readonly values = new Map<string, unknown>();

  /** All of a commit or, when an RRset has no zone to lie in, nothing. */
  commit(changes: readonly Change[]): boolean {
    const before = new Map(this.values);
    const zonesFirst = [...changes].sort(
      (a, b) => Number(b.collection === 'zones') - Number(a.collection === 'zones'),
    );
    for (const each of zonesFirst) {
      if (this.#apply(each)) continue;
      this.values.clear();
      for (const [path, value] of before) this.values.set(path, value);
      return false;
    }
    return true;
  }

  #apply({ collection, key, value, ...rest }: Change): boolean {
    const home = 'zone' in rest ? rest.zone : '';
    const path = collection === 'rrsets' ? `rrsets/${home}/${key}` : `${collection}/${key}`;
    if (collection === 'rrsets' && value !== undefined && this.#kind(home) !== 'rrsets') return false;
    if (collection === 'zones' && (value === undefined || value.kind === 'blob')) {
      for (const other of [...this.values.keys()])
        if (other.startsWith(`rrsets/${key}/`)) this.values.delete(other);
    }
    if (value === undefined) this.values.delete(path);
    else this.values.set(path, value);
    return true;
  }

  #kind(home: string): string | undefined {
    return (this.values.get(`zones/${home}`) as { readonly kind: string } | undefined)?.kind;
  }
}

function valuesOf(config: Config): Map<string, unknown> {
  const values = new Map<string, unknown>();
  for (const collection of ['dataCenters', 'pools', 'zones'] as const) {
    for (const [key, { value }] of config[collection]) values.set(`${collection}/${key}`, value);
  }
  for (const [home, rrsets] of config.rrsets) {
    for (const [key, { value }] of rrsets) values.set(`rrsets/${home}/${key}`, value);
  }
  return values;
}

describe('a store', () => {
  it('holds what a plain map would, and the same after it is opened again', async () => {
    const commits = fc.array(fc.array(change, { maxLength: 5 }), { maxLength: 25 });
    await fc.assert(
      fc.asyncProperty(commits, fc.boolean(), async (list, together) => {
        const directory = scratch.directory();
        const store = await open(directory);
        const model = new Model();
        const running: Promise<unknown>[] = [];
        for (const changes of list) {
          const fits = model.commit(changes);
          const outcome = store.commit(changes, alice).then(
            () => true,
            () => false,
          );
          running.push(outcome.then((accepted) => expect(accepted).toBe(fits)));
          if (!together) await outcome;
        }
        await Promise.all(running);
        const { config } = store;
        expect(valuesOf(config)).toEqual(model.values);
        await store.close();
        const again = await open(directory);
        expect(again.config).toEqual(config);
        await again.close();
      }),
      { numRuns: 40 },
    );
  });

  it('comes to the same configuration on every node, in whatever order they write and meet', async () => {
    const write = fc.tuple(fc.nat({ max: 2 }), fc.array(change, { minLength: 1, maxLength: 4 }));
    const meeting = fc.constantFrom('first', 'second', 'third');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof({ weight: 3, arbitrary: write }, meeting), { maxLength: 25 }),
        async (steps) => {
          const nodes = await Promise.all([1, 2, 3].map(() => open(scratch.directory())));
          const [one, two, three] = nodes;
          if (one === undefined || two === undefined || three === undefined) throw new Error('three nodes');
          for (const step of steps) {
            if (step === 'first') await meet(one, two);
            else if (step === 'second') await meet(two, three);
            else if (step === 'third') await meet(three, one);
            else await nodes[step[0]]?.commit(step[1], alice).catch(() => undefined);
          }
          await meet(one, two);
          await meet(two, three);
          await meet(one, three);
          await meet(one, two);
          for (const node of [two, three]) {
            expect(new Map(node.heads())).toEqual(new Map(one.heads()));
            expect(withoutGeneration(node.config)).toEqual(withoutGeneration(one.config));
          }
          for (const node of nodes) await node.close();
        },
      ),
      { numRuns: 25 },
    );
  });
});
