import type { Database, DocumentWrite } from '../../../src/store/database.ts';
import type { DocumentRecord } from '../../../src/store/database-layout.ts';
import { StoreError } from '../../../src/store/store-error.ts';
import type { SimRandom } from './sim-random.ts';
import type { SimTime } from './sim-time.ts';

/** What is on a node's disk: it outlives crashes, can be copied, and put back later. */
export class SimDisk {
  generation = 0;
  readonly records = new Map<string, DocumentRecord>();
  readonly chunks = new Map<string, Uint8Array>();
  readonly blobs = new Map<string, Buffer>();

  copy(): SimDisk {
    const copy = new SimDisk();
    copy.generation = this.generation;
    for (const [id, record] of this.records) copy.records.set(id, record);
    for (const [key, chunk] of this.chunks) copy.chunks.set(key, chunk);
    for (const [hash, blob] of this.blobs) copy.blobs.set(hash, blob);
    return copy;
  }

  parts(record: DocumentRecord): readonly Uint8Array[] {
    const keys = record.first > 0 ? [`${record.id} snapshot`] : [];
    for (let at = record.first; at < record.next; at += 1) keys.push(`${record.id} ${at}`);
    return keys.map((key) => {
      const chunk = this.chunks.get(key);
      if (chunk === undefined) throw new StoreError('damaged', `Record ${key} is missing.`);
      return chunk;
    });
  }

  put({ record, changes, snapshot, replaced }: DocumentWrite): void {
    if (snapshot !== undefined) this.chunks.set(`${record.id} snapshot`, snapshot);
    for (let at = replaced.from; at < replaced.to; at += 1) this.chunks.delete(`${record.id} ${at}`);
    for (const { sequence, bytes } of changes) this.chunks.set(`${record.id} ${sequence}`, bytes);
    this.records.set(record.id, record);
  }
}

/** A disk as an open store sees it: what is written takes its time, and may be lost with the power. */
export class SimDatabase implements Database {
  readonly #disk: SimDisk;
  readonly #time: SimTime;
  readonly #random: SimRandom;
  /** The write under way; the store has one at a time. */
  #underWay: (() => void) | undefined;
  #dead = false;
  /** The next write finds the disk full. */
  refuseNext = false;

  constructor(disk: SimDisk, time: SimTime, random: SimRandom) {
    this.#disk = disk;
    this.#time = time;
    this.#random = random;
  }

  get generation(): number {
    return this.#disk.generation;
  }

  documentRecords(): Iterable<DocumentRecord> {
    return this.#disk.records.values();
  }

  documentRecord(id: string): DocumentRecord | undefined {
    return this.#disk.records.get(id);
  }

  documentParts(record: DocumentRecord): readonly Uint8Array[] {
    return this.#disk.parts(record);
  }

  write(documents: readonly DocumentWrite[], generation: number): Promise<void> {
    return this.#flush(() => {
      for (const document of documents) this.#disk.put(document);
      this.#disk.generation = generation;
    });
  }

  blob(hash: string): Uint8Array | undefined {
    return this.#disk.blobs.get(hash);
  }

  hasBlob(hash: string): boolean {
    return this.#disk.blobs.has(hash);
  }

  putBlob(hash: string, bytes: Buffer): Promise<void> {
    return this.#flush(() => void this.#disk.blobs.set(hash, bytes));
  }

  blobHashes(): readonly string[] {
    return [...this.#disk.blobs.keys()];
  }

  removeBlobs(hashes: readonly string[]): Promise<void> {
    return this.#flush(() => {
      for (const hash of hashes) this.#disk.blobs.delete(hash);
    });
  }

  async close(): Promise<void> {
    this.#dead = true;
  }

  /** The power fails: a write under way is there whole or not at all, and nobody hears of it. */
  crash(): void {
    this.#dead = true;
    if (this.#underWay !== undefined && this.#random.happens(0.5)) this.#underWay();
    this.#underWay = undefined;
  }

  #flush(apply: () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#underWay = apply;
      this.#time.after(this.#random.between(0, 12), () => {
        if (this.#dead) return;
        this.#underWay = undefined;
        if (this.refuseNext) {
          this.refuseNext = false;
          reject(new StoreError('write-failed', 'The disk is full. Nothing of this write was kept.'));
          return;
        }
        apply();
        resolve();
      });
    });
  }
}
