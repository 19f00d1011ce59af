import type { Logger } from '../observe/log.ts';
import type { Settings } from '../settings.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import type { DirectoryLock } from '../store/directory-lock.ts';
import type { BootManifest } from './boot/boot-manifest.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';

/** What a node starts from. */
export interface NodeOptions {
  readonly settings: Settings;
  /** Where to serve the API, with real ports where they are known. */
  readonly api: readonly ApiAddress[];
  readonly token: string | undefined;
  readonly version: string;
  readonly log: Logger;
  /** Serves already what was served last, or starts to with the first publication. */
  readonly outlet: DnsOutlet;
  /** The numbers of the run before. */
  readonly manifest: BootManifest | undefined;
  /** What the outlet serves already: the images that the manifest names. */
  readonly booted: SnapshotMessage | undefined;
  /** The data directory's lock where it is held already. */
  readonly lock: DirectoryLock | undefined;
}
