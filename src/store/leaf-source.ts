import type { MapName } from './document.ts';

/** Documents as a configuration is read from them: those of now, or of some time before. */
export interface LeafSource {
  /** The text of the leaf that counts; undefined for none. */
  read(id: string, map: MapName, key: string): string | undefined;
  /** The texts of all that was written to a leaf without knowledge of each other; the one that counts first. */
  readAll(id: string, map: MapName, key: string): readonly string[];
  /** Ids of the documents that hold RRsets of a zone, those of its ended lives included. */
  documentsOf(apex: string): readonly string[];
  /** How many changes a document consists of; 0 where nothing was ever written to it. */
  changeCount(id: string): number;
  /** All keys of a map, those of deleted leaves included. */
  keys(id: string, map: MapName): readonly string[];
  /** Whether anything was ever written to a document. */
  has(id: string): boolean;
}
