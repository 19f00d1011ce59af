import type { Database, DocumentWrite } from '../../src/store/database.ts';
import type { DocumentRecord } from '../../src/store/database-layout.ts';
import { StoreError } from '../../src/store/store-error.ts';

/** What lies on the disk of a node that can lose power. */
interface Disk {
  readonly records: ReadonlyMap<string, DocumentRecord>;
  /** By document and sequence, or `snapshot`. */
  readonly chunks: ReadonlyMap<string, Uint8Array>;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  readonly generation: number;
}

const empty: Disk = { records: new Map(), chunks: new Map(), blobs: new Map(), generation: 0 };

/**
 * A database in memory, as deterministic as its caller. A write is on disk when `flush` has let it through; it fails
 * where that throws. What is on disk survives `reopened`, and nothing else does.
 */
export class MemoryDatabase implements Database {
  #disk: Disk;
  readonly #flush: () => Promise<void> | void;

  constructor(flush: () => Promise<void> | void = () => undefined, disk: Disk = empty) {
    this.#flush = flush;
    this.#disk = disk;
  }

  /** The disk after a crash, for another store; writes that were under way are lost. */
  reopened(flush: () => Promise<void> | void = () => undefined): MemoryDatabase {
    return new MemoryDatabase(flush, this.#disk);
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

  documentParts({ id, first, next }: DocumentRecord): readonly Uint8Array[] {
    const keys = first > 0 ? [`${id} snapshot`] : [];
    for (let sequence = first; sequence < next; sequence += 1) keys.push(`${id} ${sequence}`);
    return keys.map((key) => {
      const chunk = this.#disk.chunks.get(key);
      if (chunk === undefined) throw new StoreError('damaged', `Record ${key} is missing.`);
      return chunk;
    });
  }

  async write(documents: readonly DocumentWrite[], generation: number): Promise<void> {
    await this.#commit((disk) => {
      const [records, chunks] = [new Map(disk.records), new Map(disk.chunks)];
      for (const { record, changes, snapshot, replaced } of documents) {
        if (snapshot !== undefined) chunks.set(`${record.id} snapshot`, snapshot);
        for (let sequence = replaced.from; sequence < replaced.to; sequence += 1) {
          chunks.delete(`${record.id} ${sequence}`);
        }
        for (const { sequence, bytes } of changes) chunks.set(`${record.id} ${sequence}`, bytes);
        records.set(record.id, record);
      }
      return { ...disk, records, chunks, generation };
    });
  }

  blob(hash: string): Uint8Array | undefined {
    return this.#disk.blobs.get(hash);
  }

  hasBlob(hash: string): boolean {
    return this.#disk.blobs.has(hash);
  }

  async putBlob(hash: string, bytes: Buffer): Promise<void> {
    await this.#commit((disk) => ({ ...disk, blobs: new Map(disk.blobs).set(hash, bytes) }));
  }

  blobHashes(): readonly string[] {
    return [...this.#disk.blobs.keys()];
  }

  async removeBlobs(hashes: readonly string[]): Promise<void> {
    const gone = new Set(hashes);
    await this.#commit((disk) => ({
      ...disk,
      blobs: new Map([...disk.blobs].filter(([hash]) => !gone.has(hash))),
    }));
  }

  async close(): Promise<void> {
    await this.#flush();
  }

  async #commit(change: (disk: Disk) => Disk): Promise<void> {
    try {
      await this.#flush();
    } catch (thrown) {
      throw new StoreError('write-failed', 'The disk refused the write. Nothing of it was kept.', thrown);
    }
    this.#disk = change(this.#disk);
  }
}
