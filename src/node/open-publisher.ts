import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../observe/log.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import type { Store } from '../store/store.ts';
import { BootKeeper } from './boot/boot-keeper.ts';
import { BootedImages } from './boot/booted-images.ts';
import type { Closers } from './closers.ts';
import type { Compiler } from './compile/compiler.ts';
import { Publisher } from './compile/publisher.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import type { NodeOptions } from './node-options.ts';
import { ZoneFiles } from './zones/zone-files.ts';

/** An end waits this long for what is served to be kept; a compilation may be in the way. */
const LAST_KEEP_MS = 5_000;

/** What makes images of the configuration, and what reads its zone files. */
export function openPublisher(
  options: NodeOptions,
  { store, compiler }: { readonly store: Store; readonly compiler: Compiler },
  tables: Pick<SnapshotMessage, 'verdicts' | 'spills'>,
): { readonly publisher: Publisher; readonly zoneFiles: ZoneFiles } {
  const booted = new BootedImages(options.booted?.zones ?? []);
  const zoneFiles = new ZoneFiles({
    compiler,
    booted,
    dataDirectory: options.settings.dataDirectory,
    hasBlob: (hash) => store.hasBlob(hash),
    onFailure: (error) =>
      options.log.warn(
        { err: error },
        'the next start will read all zone files again: what is known could not be kept',
      ),
  });
  const publisher = new Publisher({
    compiler,
    ...tables,
    serverId: new TextEncoder().encode(options.settings.nodeId),
    remembered: options.manifest,
    booted,
    blobText: (hash) => {
      // Needed again, so no longer known from its file; and if it is damaged, a reload mends it.
      zoneFiles.forget(hash);
      return store.copyBlob(hash);
    },
    hasBlob: (hash) => store.hasBlob(hash),
    compiledFile: (hash) => zoneFiles.compiled(hash),
  });
  return { publisher, zoneFiles };
}

/** Keeps what is published for the next start. */
export function keepForBoot(
  outlet: DnsOutlet,
  { manifest, booted }: Pick<NodeOptions, 'manifest' | 'booted'>,
  parts: { readonly compiler: Compiler; readonly publisher: Publisher; readonly log: Logger },
  closers: Closers,
): void {
  const { compiler, publisher, log } = parts;
  const keeper = new BootKeeper({
    compiler,
    numbers: () => publisher.numbers(),
    onFailure: (error) =>
      log.warn({ err: error }, 'what is served could not be kept on disk; the next start takes longer'),
  });
  keeper.know(booted?.zones ?? [], manifest?.zones ?? []);
  keeper.know(booted?.maps ?? [], manifest?.maps ?? []);
  outlet.onPublished((snapshot) => keeper.published(snapshot));
  closers.add(async () => {
    outlet.onPublished(undefined);
    await Promise.race([keeper.flush(), delay(LAST_KEEP_MS, undefined, { ref: false })]);
  });
}
