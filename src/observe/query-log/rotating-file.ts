import { type FileHandle, open, rename, stat } from 'node:fs/promises';
import type { LineSink } from './line-sink.ts';

/** Size of one file, and how many older ones stay beside it. */
export interface FileLimits {
  readonly octets: number;
  readonly olderFiles: number;
}

/** A few minutes of a busy node, and half a gigabyte in all: a forgotten log does not fill a disk. */
export const defaultFileLimits: FileLimits = { octets: 100 * 1024 * 1024, olderFiles: 4 };

/** How often it is looked whether the file is still the one at its path. */
const LOOK_INTERVAL_MS = 1000;

/** Whoever may read the log sees who asked for what. */
const FILE_MODE = 0o640;

/**
 * A file of lines that never grows beyond a limit:
 *
 *     queries.jsonl -> queries.jsonl.1 -> queries.jsonl.2 -> ... -> gone
 *
 * It turns over by itself, so that no other program has to be set up for the disk to be safe. One that is set up may
 * do it too: a file that was moved away or deleted is noticed within a second, and a new one begun, without a signal.
 */
export class RotatingFile implements LineSink {
  readonly #path: string;
  readonly #limits: FileLimits;
  readonly #nowMs: () => number;
  #file: FileHandle | undefined;
  #octets = 0;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  private constructor(path: string, limits: FileLimits, nowMs: () => number) {
    this.#path = path;
    this.#limits = limits;
    this.#nowMs = nowMs;
  }

  /** Rejects where the file cannot be written. `nowMs`: a clock that never goes back. */
  static async open(path: string, limits: FileLimits, nowMs: () => number): Promise<RotatingFile> {
    const file = new RotatingFile(path, limits, nowMs);
    await file.#open();
    return file;
  }

  async write(text: string): Promise<void> {
    const octets = Buffer.from(text);
    await this.#reopenIfMoved();
    if (this.#octets > 0 && this.#octets + octets.length > this.#limits.octets) await this.#turnOver();
    const file = this.#file ?? (await this.#open());
    try {
      await file.appendFile(octets);
      this.#octets += octets.length;
    } catch (error) {
      await this.#closeFile();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#closeFile();
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', FILE_MODE);
    this.#file = file;
    this.#octets = (await file.stat()).size;
    return file;
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #reopenIfMoved(): Promise<void> {
    const nowMs = this.#nowMs();
    if (this.#file === undefined || nowMs - this.#lookedAtMs < LOOK_INTERVAL_MS) return;
    this.#lookedAtMs = nowMs;
    const ours = await this.#file.stat();
    const there = await stat(this.#path).catch(() => undefined);
    if (there === undefined || there.ino !== ours.ino || there.dev !== ours.dev) await this.#closeFile();
  }

  async #turnOver(): Promise<void> {
    await this.#closeFile();
    const { olderFiles } = this.#limits;
    for (let age = olderFiles; age >= 1; age--) {
      const from = age === 1 ? this.#path : `${this.#path}.${age - 1}`;
      await rename(from, `${this.#path}.${age}`).catch(ignoreMissing);
    }
  }
}

function ignoreMissing(error: unknown): void {
  if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
}
