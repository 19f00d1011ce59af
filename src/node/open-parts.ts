import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type IdentityFiles, readIdentityFiles } from '../cluster/identity/identity-files.ts';
import { reasonOf } from '../config/problem.ts';
import { signatureOf } from '../geofiles/watch-geo-files.ts';
import { openStore } from '../store/open-store.ts';
import type { ReplicatedStore } from '../store/replicated-store.ts';
import type { Closers } from './closers.ts';
import { sealWithClusterKey } from './cluster/seal-with-cluster-key.ts';
import { Compiler } from './compile/compiler.ts';
import { IMAGE_DIRECTORY } from './compile/image-file.ts';
import type { NodeOptions } from './node-options.ts';
import { StartError } from './start-error.ts';

/** What the other parts stand on. */
export interface OpenParts {
  readonly store: ReplicatedStore;
  /** The node's part in a cluster; undefined where it is alone. */
  readonly identity: IdentityFiles | undefined;
  readonly compiler: Compiler;
  readonly geoTable: SharedArrayBuffer;
  /** Of the geo files before they were read: a file that is replaced meanwhile is noticed later. */
  readonly geoSignature: string;
}

/** Opens the store and reads the geo table, the two slow steps of a start, side by side. */
export async function openParts({ settings, lock }: NodeOptions, closers: Closers): Promise<OpenParts> {
  const { dataDirectory, geoFiles, nodeId } = settings;
  await makeDataDirectory(dataDirectory);
  const compiler = new Compiler(join(dataDirectory, IMAGE_DIRECTORY));
  closers.add(() => compiler.close());
  const geoSignature = await signatureOf(geoFiles);
  const identity = await readIdentityFiles(dataDirectory);
  if (!identity.ok) throw new StartError(identity.problems);
  const node = identity.value?.settings.name ?? nodeId;
  const clusterId = identity.value?.settings.clusterId;
  if (identity.value !== undefined) sealWithClusterKey(dataDirectory, identity.value.clusterKey);
  const [opened, loaded] = await Promise.allSettled([
    openStore({ directory: dataDirectory, now: () => new Date(), node, clusterId, lock }),
    compiler.run<'geo-table'>({ kind: 'geo-table', paths: geoFiles }),
  ]);
  if (opened.status === 'fulfilled') closers.add(() => opened.value.close());
  if (opened.status === 'rejected') throw opened.reason;
  if (loaded.status === 'rejected') throw loaded.reason;
  if (!loaded.value.ok) throw new StartError(loaded.value.problems);
  const geoTable = loaded.value.value;
  return { store: opened.value, identity: identity.value, compiler, geoTable, geoSignature };
}

async function makeDataDirectory(directory: string): Promise<void> {
  try {
    await mkdirs(resolve(directory));
  } catch (error) {
    const why = reasonOf(error);
    const message = `the data directory ${directory} cannot be made (${why}); choose another with --data`;
    throw new StartError([{ code: 'unusable-data-directory', path: '', message }]);
  }
}

/** Not Node's own `recursive`: on file systems that refuse with ENOENT, such as /proc, that never ends. */
async function mkdirs(directory: string): Promise<void> {
  if (existsSync(directory)) return;
  const parent = dirname(directory);
  if (parent !== directory) await mkdirs(parent);
  await mkdir(directory);
}
