import * as automerge from '@automerge/automerge';
import type { ConfigDocument, EngineSyncState, Reception } from './document.ts';
import { StoreError } from './store-error.ts';

/**
 * What this node knows of one peer's documents while a session lasts. A message is one octet and then what Automerge's
 * sync protocol says:
 *
 *     +-------+--------------------------+
 *     | start | sync message of Automerge |      start: 1 = the sender has forgotten what was said before, 0 = it goes on
 *     +-------+--------------------------+
 *
 * The protocol sends no change twice. So a node that has lost what it was sent (its disk refused it, or it went with
 * a document that was dropped from memory) must say so, or it would wait for ever.
 */
const GOES_ON = 0;
const STARTS_OVER = 1;

interface DocumentExchange {
  readonly state: EngineSyncState;
  start: typeof GOES_ON | typeof STARTS_OVER;
  /** The document that holds changes back because others, on which they build, have not come. */
  holdsBackIn: ConfigDocument | undefined;
}

/**
 * Most documents of which the state of the exchange is kept: some 10 KB each. What is forgotten costs a message more
 * the next time.
 */
export const MAX_EXCHANGED_DOCUMENTS = 1024;

export class SyncExchange {
  /** In the order of use, the latest last. */
  readonly #documents = new Map<string, DocumentExchange>();
  #closed = false;

  /** Starts over with one document: the next message says so to the peer. */
  restart(document: string): void {
    if (this.#closed) return;
    this.#forget(document);
    this.#use(document).start = STARTS_OVER;
  }

  /** The session has ended: nothing more is sent or taken. */
  close(): void {
    this.#closed = true;
    for (const document of [...this.#documents.keys()]) this.#forget(document);
  }

  /** For the store, when everything in the document is durable. */
  generate(document: ConfigDocument): Uint8Array | undefined {
    if (this.#closed) return undefined;
    const exchange = this.#goOn(document);
    const message = document.generateSyncMessage(exchange.state);
    if (message === undefined) return undefined;
    const framed = new Uint8Array(1 + message.length);
    framed[0] = exchange.start;
    framed.set(message, 1);
    exchange.start = GOES_ON;
    return framed;
  }

  /**
   * For the store.
   * @throws StoreError `refused`; the document is then of no more use.
   */
  receive(document: ConfigDocument, message: Uint8Array): Reception {
    if (this.#closed) throw new StoreError('refused', 'The session has ended.');
    const [start] = message;
    if (start !== GOES_ON && start !== STARTS_OVER) {
      throw new StoreError('refused', `A message for ${document.id} is of an unknown kind.`);
    }
    if (start === STARTS_OVER) this.#forget(document.id);
    const exchange = this.#goOn(document);
    const reception = document.receiveSyncMessage(exchange.state, message.subarray(1));
    exchange.holdsBackIn = document.holdsBack() ? document : undefined;
    return reception;
  }

  #goOn(document: ConfigDocument): DocumentExchange {
    const exchange = this.#use(document.id);
    if (exchange.holdsBackIn === undefined || exchange.holdsBackIn === document) return exchange;
    this.restart(document.id);
    return this.#use(document.id);
  }

  #use(document: string): DocumentExchange {
    const known = this.#documents.get(document);
    const exchange = known ?? { state: newSyncState(), start: GOES_ON, holdsBackIn: undefined };
    this.#documents.delete(document);
    this.#documents.set(document, exchange);
    const [oldest] = this.#documents.keys();
    if (this.#documents.size > MAX_EXCHANGED_DOCUMENTS && oldest !== undefined) this.#forget(oldest);
    return exchange;
  }

  #forget(document: string): void {
    this.#documents.get(document)?.state.free();
    this.#documents.delete(document);
  }
}

let made: EngineSyncState | undefined;
const maker = automerge.init();
automerge.getBackend(maker).generateSyncMessage = (state) => {
  made = state;
  return null;
};

/**
 * The engine's own state of an exchange. The public functions copy it at every call, and mirror the whole document in
 * JavaScript; but they hand the engine its own kind of state, and that is where it is taken from.
 */
function newSyncState(): EngineSyncState {
  made = undefined;
  automerge.generateSyncMessage(maker, automerge.initSyncState());
  if (made === undefined) throw new Error('the engine was handed no sync state');
  return made;
}
