import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createStore } from '../../src/store/automerge-store.ts';
import { ROOT_DOCUMENT, zoneDocument } from '../../src/store/document.ts';
import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import { createSealer } from '../../src/store/seal/sealer.ts';
import { address, alice, dataCenter, zone } from '../store/given.ts';
import { meet } from '../store/meet.ts';
import { MemoryDatabase } from '../store/memory-database.ts';

let actors = 0;

function store(): ReplicatedStore {
  actors += 1;
  return createStore({
    database: new MemoryDatabase(),
    release: () => undefined,
    now: () => new Date(0),
    node: '',
    sealer: createSealer([new Uint8Array(32)]),
    actor: actors.toString(16).padStart(32, '0'),
  });
}

/** What happens to one message. */
type Noise =
  | { readonly kind: 'flip'; readonly at: number; readonly octet: number }
  | { readonly kind: 'cut'; readonly at: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

const noise: fc.Arbitrary<Noise> = fc.oneof(
  fc.record({
    kind: fc.constant('flip' as const),
    at: fc.nat({ max: 2000 }),
    octet: fc.integer({ min: 1, max: 255 }),
  }),
  fc.record({ kind: fc.constant('cut' as const), at: fc.nat({ max: 2000 }) }),
  fc.record({ kind: fc.constant('bytes' as const), bytes: fc.uint8Array({ maxLength: 100 }) }),
);

function noisy(message: Uint8Array, change: Noise): Uint8Array {
  if (change.kind === 'bytes') return change.bytes;
  const at = change.at % Math.max(1, message.length);
  if (change.kind === 'cut') return message.subarray(0, at);
  return message.map((octet, index) => (index === at ? octet ^ change.octet : octet));
}

it('whatever a peer says, the configuration stays whole and the next session makes both equal', async () => {
  const documents = [ROOT_DOCUMENT, zoneDocument('example.org.', 0)];
  await fc.assert(
    fc.asyncProperty(fc.array(noise, { minLength: 1, maxLength: 12 }), async (changes) => {
      const [one, two] = [store(), store()];
      await one.commit([dataCenter('fra', 1), zone('example.org.')], alice);
      await two.commit([dataCenter('sin', 1), zone('example.org.')], alice);
      for (let i = 0; i < 3; i += 1) {
        await two.commit([address('example.org.', `h${i}.example.org.`, '192.0.2.1')], alice);
      }
      const [saying, hearing] = [two.openExchange(), one.openExchange()];
      for (const [index, change] of changes.entries()) {
        const document = documents[index % 2] ?? ROOT_DOCUMENT;
        const message = (await two.generate(saying, document)) ?? Uint8Array.of(0);
        await one.receive(hearing, [{ document, message: noisy(message, change) }]);
        const answer = await one.generate(hearing, document);
        if (answer !== undefined) await two.receive(saying, [{ document, message: answer }]);
        expect(one.config.dataCenters.get('fra')?.value.latitude).toBe(1);
      }
      saying.close();
      hearing.close();
      await meet(one, two);
      expect(new Map(one.heads())).toEqual(new Map(two.heads()));
      expect(one.config.rrsets).toEqual(two.config.rrsets);
      expect([...one.config.dataCenters.keys()].sort()).toEqual(['fra', 'sin']);
    }),
    { numRuns: 150 },
  );
});
