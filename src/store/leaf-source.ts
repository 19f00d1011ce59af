import type { MapName } from './document.ts';

/** Documents as a configuration is read from them: those of now, or of some time before. */
export interface LeafSource {
  /** The text of the leaf that counts; undefined for none. */
  read(id: string, map: MapName, key: string): string | undefined;
  /** All keys of a map, those of deleted leaves included. */
  keys(id: string, map: MapName): readonly string[];
  /** Whether anything was ever written to a document. */
  has(id: string): boolean;
}
