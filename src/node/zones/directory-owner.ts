import type { Contract } from '../../config/contract.ts';
import { planDirectory } from '../../config/directory-changes.ts';
import type { Change, Config } from '../../config/model.ts';
import { type Parsed, parsed } from '../../config/problem.ts';
import type { Monitor } from '../../config/resources/monitor.ts';
import type { ZoneShape } from '../../config/zone-shape.ts';
import { type DirectoryReading, readDirectory } from '../../directory/read-directory.ts';
import type { Store } from '../../store/store.ts';
import type { ZoneFiles } from './zone-files.ts';

/** What a directory wants of the store. */
export interface DirectoryPlan {
  readonly changes: readonly Change[];
  /** Shapes of its zones, by apex; writes of the API are checked against them. */
  readonly shapes: ReadonlyMap<string, ZoneShape>;
}

export interface DirectorySource {
  readonly directory: string;
  readonly contract: Contract;
  /** Probes this port instead of the one in the files: the demo's servers may have to listen elsewhere. */
  readonly monitorPort: number | undefined;
}

/** What a directory says, read and compiled, its zones' blobs in the store: what is left is to make the store follow. */
export interface PreparedDirectory {
  /**
   * The commit that makes the store follow, from this configuration on. Cheap where it is the one of the preparation;
   * else everything is checked anew.
   */
  plan(config: Config): Promise<Parsed<DirectoryPlan>>;
}

/**
 * Reads a configuration directory, compiles its zone files and stores their blobs. Takes as long as large zones do;
 * writes may come and go meanwhile. One preparation at a time, and its plan is carried out before the next begins:
 * blobs that no zone refers to yet may be swept after any other.
 */
export async function prepareDirectory(
  source: DirectorySource,
  config: Config,
  store: Store,
  files: ZoneFiles,
): Promise<Parsed<PreparedDirectory>> {
  const read = await readDirectory(source.directory, source.contract, config, (directory, file) =>
    files.read(directory, file),
  );
  if (!read.ok) {
    await files.settle(blobsOf(config));
    return read;
  }
  const contents = source.monitorPort === undefined ? read : withMonitorPort(read, source.monitorPort);
  const first = planDirectory(config, contents);
  if (!first.ok) return first;
  // Before the commit that refers to them, so that no zone is ever without its records.
  for (const { text, blob } of contents.zones) {
    if (text === undefined) continue;
    await store.putBlob(text, blob);
    release(text);
  }
  const shapes = new Map(contents.zones.map(({ apex, shape }) => [apex, shape]));
  const blobs = contents.zones.map(({ blob }) => blob);
  return parsed({
    plan: async (now) => {
      const plan = now === config ? first : planDirectory(now, contents);
      if (!plan.ok) return plan;
      await files.settle(new Set([...blobsOf(now), ...blobs]));
      return parsed({ changes: plan.value, shapes });
    },
  });
}

/** Gives memory back at once: a thread with little to do collects large texts only much later. */
function release({ buffer }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** Blobs of the zones that are served at present. */
function blobsOf(config: Config): ReadonlySet<string> {
  return new Set(
    [...config.zones.values()].flatMap(({ value }) => (value.kind === 'blob' ? [value.blob] : [])),
  );
}

type Contents = Extract<DirectoryReading, { ok: true }>;

function withMonitorPort(contents: Contents, port: number): Contents {
  const resources = contents.resources.map((resource) =>
    resource.collection === 'monitors'
      ? { ...resource, value: { ...resource.value, port } satisfies Monitor }
      : resource,
  );
  return { ...contents, resources };
}
