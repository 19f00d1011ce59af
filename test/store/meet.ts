import type { ReplicatedStore } from '../../src/store/replicated-store.ts';
import type { SyncExchange } from '../../src/store/sync-exchange.ts';

/** Far more rounds than any exchange takes: one that goes on for ever fails its test. */
const MAX_ROUNDS = 50;

interface Side {
  readonly store: ReplicatedStore;
  readonly exchange: SyncExchange;
}

/** Both directions until nobody has anything more to say, as after a partition. */
export async function meet(left: ReplicatedStore, right: ReplicatedStore): Promise<void> {
  const sides = [left, right].map((store) => ({ store, exchange: store.openExchange() }));
  await talk(sides);
  for (const { exchange } of sides) exchange.close();
}

/** Goes on with exchanges that are open. */
export async function talk(sides: readonly Side[]): Promise<void> {
  const [left, right] = sides;
  if (left === undefined || right === undefined) throw new Error('two sides');
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const documents = differing(left.store, right.store);
    const told = (await tell(left, right, documents)) + (await tell(right, left, documents));
    if (told === 0) return;
  }
  throw new Error('the exchange does not end');
}

function differing(left: ReplicatedStore, right: ReplicatedStore): readonly string[] {
  const documents = new Set([...left.heads().keys(), ...right.heads().keys()]);
  return [...documents].filter((id) => `${left.heads().get(id)}` !== `${right.heads().get(id)}`);
}

async function tell(from: Side, to: Side, documents: readonly string[]): Promise<number> {
  const messages: { readonly document: string; readonly message: Uint8Array }[] = [];
  for (const document of documents) {
    const message = await from.store.generate(from.exchange, document);
    if (message !== undefined) messages.push({ document, message });
  }
  const { refused } = await to.store.receive(to.exchange, messages);
  if (refused.length > 0) throw new Error(`refused: ${refused.map(({ reason }) => reason).join(' ')}`);
  return messages.length;
}
