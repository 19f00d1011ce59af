import type { ServedImages } from '../compile/compile-job.ts';
import type { ImageCache } from '../compile/image-cache.ts';
import { type BootManifest, imagesOf, readBootManifest, writeBootManifest } from './boot-manifest.ts';

/** Writes the images that are not on disk yet, then the manifest that names all of them. Throws when the disk fails. */
export function keepBoot(cache: ImageCache, dataDirectory: string, served: ServedImages): BootManifest {
  const nameOf = (image: SharedArrayBuffer | string): string =>
    typeof image === 'string' ? image : cache.keepImage(image);
  const manifest: BootManifest = {
    ...served,
    zones: served.zones.map(nameOf),
    maps: served.maps.map((image) => (image === null ? null : nameOf(image))),
  };
  writeBootManifest(dataDirectory, manifest);
  cache.sweep();
  return manifest;
}

/** The images that the next start needs. */
export function servedImages(dataDirectory: string): ReadonlySet<string> {
  const manifest = readBootManifest(dataDirectory);
  return manifest === undefined ? new Set() : imagesOf(manifest);
}
