import * as automerge from '@automerge/automerge';
import { parseLeaf } from '../../../src/store/leaf.ts';
import type { SimDisk } from './sim-disk.ts';

/** One write of one leaf, as the document's history has it. */
export interface LeafWrite {
  /** Hash of its change. */
  readonly change: string;
  readonly author: string;
  readonly isDeletion: boolean;
  /** Of a zone: which of its documents it means. */
  readonly life: number;
  /** JSON; two of the same are no conflict. */
  readonly value: string;
}

export interface LeafHistory {
  readonly document: string;
  readonly map: string;
  readonly key: string;
  /** All writes there ever were. */
  readonly writes: readonly LeafWrite[];
  /** Authors of the values that stand beside each other now: more than one is a conflict. */
  readonly visible: readonly string[];
}

/** A document's history, read by Automerge itself and not by our store. */
export class DocumentHistory {
  readonly leaves: readonly LeafHistory[];
  readonly #dependencies = new Map<string, readonly string[]>();

  constructor(disk: SimDisk, document: string) {
    const record = disk.records.get(document);
    if (record === undefined) throw new Error(`there is no ${document}`);
    const engine = automerge.getBackend(automerge.init());
    engine.loadIncremental(Buffer.concat(disk.parts(record)));
    const writes = new Map<string, LeafWrite[]>();
    for (const bytes of engine.getChanges([])) {
      const change = automerge.decodeChange(bytes);
      this.#dependencies.set(change.hash, change.deps);
      for (const { obj, key, value } of change.ops) {
        if (typeof value !== 'string' || key === undefined) continue;
        const leaf = parseLeaf(value);
        if (leaf === undefined) throw new Error(`${document} has a leaf ${key} that is none`);
        const place = `${obj} ${key}`;
        const text = JSON.stringify(leaf.value) ?? 'deleted';
        const isDeletion = leaf.value === undefined;
        const { author, life } = leaf;
        const write = { change: change.hash, author, isDeletion, life, value: text };
        writes.set(place, [...(writes.get(place) ?? []), write]);
      }
    }
    const maps = new Map(engine.keys('_root').map((map) => [String(engine.get('_root', map)), map]));
    this.leaves = [...writes].map(([place, ofLeaf]) => {
      const [object = '', ...rest] = place.split(' ');
      const key = rest.join(' ');
      const visible = engine.getAll(object, key).map(([, text]) => parseLeaf(String(text))?.author ?? '');
      return { document, map: maps.get(object) ?? object, key, writes: ofLeaf, visible };
    });
    engine.free();
  }

  has(change: string): boolean {
    return this.#dependencies.has(change);
  }

  /** Whether the later change was made by somebody who had seen the earlier. */
  saw(later: string, earlier: string): boolean {
    const seen = new Set<string>();
    const open = [later];
    for (let change = open.pop(); change !== undefined; change = open.pop()) {
      for (const dependency of this.#dependencies.get(change) ?? []) {
        if (dependency === earlier) return true;
        if (seen.has(dependency)) continue;
        seen.add(dependency);
        open.push(dependency);
      }
    }
    return false;
  }
}
