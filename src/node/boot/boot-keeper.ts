import type { SnapshotMessage } from '../../snapshot/snapshot.ts';
import type { Compiler } from '../compile/compiler.ts';
import type { Numbers } from '../compile/publisher.ts';

/** A burst of writes is kept once, when it is over. */
const QUIET_MS = 1000;
/** Writes that never pause are kept this often: what a start after a crash answers first is at most this old. */
const LONGEST_WAIT_MS = 10_000;

interface BootKeeperParts {
  readonly compiler: Pick<Compiler, 'run'>;
  readonly numbers: () => Numbers;
  readonly onFailure: (error: unknown) => void;
}

/**
 * Keeps what is served on disk for the next start, on the compile thread and some time after each publication.
 * Images never change, so one that was written once is only named from then on.
 */
export class BootKeeper {
  readonly #parts: BootKeeperParts;
  readonly #names = new WeakMap<SharedArrayBuffer, string>();
  #unkept: SnapshotMessage | undefined;
  #unkeptSinceMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(parts: BootKeeperParts) {
    this.#parts = parts;
  }

  /** These images are already on disk under these names. */
  know(images: readonly (SharedArrayBuffer | undefined)[], names: readonly (string | null)[]): void {
    for (const [index, image] of images.entries()) {
      const name = names[index];
      if (image !== undefined && typeof name === 'string') this.#names.set(image, name);
    }
  }

  /** To be called when every DNS worker answers from the snapshot. */
  published(snapshot: SnapshotMessage): void {
    const nowMs = performance.now();
    if (this.#unkept === undefined) this.#unkeptSinceMs = nowMs;
    this.#unkept = snapshot;
    clearTimeout(this.#timer);
    const waitMs = Math.min(QUIET_MS, Math.max(0, this.#unkeptSinceMs + LONGEST_WAIT_MS - nowMs));
    this.#timer = setTimeout(() => void this.flush(), waitMs);
  }

  /** Resolves when what was published last is on disk, or could not be written. */
  flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    const snapshot = this.#unkept;
    if (snapshot === undefined) return;
    this.#unkept = undefined;
    const { compiler, numbers, onFailure } = this.#parts;
    const named = (image: SharedArrayBuffer): SharedArrayBuffer | string => this.#names.get(image) ?? image;
    try {
      const manifest = await compiler.run<'keep-boot'>({
        kind: 'keep-boot',
        served: {
          ...numbers(),
          zones: snapshot.zones.map(named),
          maps: Array.from(snapshot.maps, (image) => (image === undefined ? null : named(image))),
        },
      });
      this.know(snapshot.zones, manifest.zones);
      this.know(snapshot.maps, manifest.maps);
    } catch (error) {
      onFailure(error);
    }
  }
}
