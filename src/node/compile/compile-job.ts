import type { Parsed, Problem } from '../../config/problem.ts';
import type { RRsetColumns } from '../../dns/rrset-columns.ts';
import type { ZoneRoom } from '../../snapshot/encoded-zone.ts';
import type { SteeredSource } from '../../snapshot/zone-source.ts';
import type { MapSource } from '../../steering/compile-map.ts';
import type { BootManifest } from '../boot/boot-manifest.ts';
import type { RRsetPage } from '../zones/read-zone-image.ts';

/** What the compile worker does, and what it answers; everything large travels as shared memory. */
export type CompileJob =
  | { readonly kind: 'zone'; readonly zone: ZoneJob }
  | { readonly kind: 'zone-file'; readonly file: ZoneFileJob }
  | { readonly kind: 'page'; readonly page: PageJob }
  | { readonly kind: 'copy'; readonly from: SharedArrayBuffer; readonly to: SharedArrayBuffer }
  | { readonly kind: 'map'; readonly source: MapSource; readonly geoTable: SharedArrayBuffer }
  | { readonly kind: 'geo-table'; readonly paths: readonly string[] }
  | { readonly kind: 'keep-boot'; readonly served: ServedImages };

export interface ZoneJob {
  /** Presentation form. */
  readonly apex: string;
  readonly records: ZoneRecords;
  readonly steeredNames: readonly SteeredSource[];
}

/** Records, or the blob that holds them as zone-file text in UTF-8: the thread may still know what it parsed. */
export type ZoneRecords =
  | {
      readonly kind: 'columns';
      readonly parts: readonly RRsetColumns[];
      /** Whether the image gets room for edits. */
      readonly room: 'none' | 'for-edits';
    }
  | { readonly kind: 'blob'; readonly blob: string; readonly text: Uint8Array | undefined };

/** A compiled zone; no image for an apex that has no wire form. */
export interface ZoneCompilation {
  readonly image: SharedArrayBuffer | undefined;
  readonly problems: readonly Problem[];
  /** Of a zone that is edited. */
  readonly room: ZoneRoom | undefined;
}

/** The thread does not know the blob: the same job is to be given with its text. */
export const TEXT_NEEDED = 'text-needed';

export interface ZoneFileJob {
  readonly directory: string;
  /** Relative to the directory. */
  readonly file: string;
  /** What the file held when it was read last: a file that holds the same is not parsed again. */
  readonly known: string | undefined;
}

/** What is known of a zone file that was read. */
export interface ZoneFileReading {
  /** Hash of what the file holds; undefined where that does not tell all, because it includes others. */
  readonly content: string | undefined;
  readonly apex: string;
  /** SHA-256 of its canonical text, hex. */
  readonly blob: string;
  readonly rrsetCount: number;
  /** Line of the SOA record. */
  readonly line: number;
}

export type ZoneFileResult =
  | { readonly kind: 'same' }
  | {
      readonly kind: 'read';
      readonly reading: ZoneFileReading;
      /** Canonical, in UTF-8. */
      readonly text: Uint8Array;
      /** The zone without steered names. */
      readonly compiled: ZoneCompilation;
    }
  | {
      readonly kind: 'refused';
      readonly apex: string | undefined;
      readonly problems: readonly Problem[];
    };

/** A page of the RRsets in an image. */
export interface PageJob {
  readonly image: SharedArrayBuffer;
  /** Equal for equal zones. */
  readonly zone: string;
  readonly after: string | undefined;
  /** Most RRsets of the page: 1 and more. */
  readonly limit: number;
}

/** What is served, with each image as its name where it is known to be on disk. */
export interface ServedImages extends Omit<BootManifest, 'zones' | 'maps'> {
  readonly zones: readonly (SharedArrayBuffer | string)[];
  readonly maps: readonly (SharedArrayBuffer | string | null)[];
}

export interface CompileResults {
  readonly zone: ZoneCompilation | typeof TEXT_NEEDED;
  readonly 'zone-file': ZoneFileResult;
  readonly page: RRsetPage;
  /** Nothing: the octets of one are those of the other now. */
  readonly copy: undefined;
  readonly map: SharedArrayBuffer;
  readonly 'geo-table': Parsed<SharedArrayBuffer>;
  /** What the next start will read. */
  readonly 'keep-boot': BootManifest;
}

export interface CompileRequest {
  readonly id: number;
  readonly job: CompileJob;
}

/** `failure` is a bug's message: jobs report what the operator can mend in their results. */
export type CompileReply =
  | { readonly id: number; readonly result: CompileResults[CompileJob['kind']] }
  | { readonly id: number; readonly failure: string };
