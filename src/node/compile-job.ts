import type { Parsed, Problem } from '../config/problem.ts';
import type { RRsetSource, SteeredSource } from '../snapshot/zone-source.ts';
import type { MapSource } from '../steering/compile-map.ts';

/** What the compile worker does, and what it answers; everything large travels as shared memory. */
export type CompileJob =
  | { readonly kind: 'zone'; readonly zone: ZoneJob }
  | { readonly kind: 'map'; readonly source: MapSource; readonly geoTable: SharedArrayBuffer }
  | { readonly kind: 'geo-table'; readonly paths: readonly string[] };

export interface ZoneJob {
  /** Presentation form. */
  readonly apex: string;
  readonly records:
    | { readonly kind: 'rrsets'; readonly rrsets: readonly RRsetSource[] }
    | { readonly kind: 'text'; readonly text: string };
  readonly steeredNames: readonly SteeredSource[];
}

export interface CompileResults {
  readonly zone: { readonly image: SharedArrayBuffer | undefined; readonly problems: readonly Problem[] };
  readonly map: SharedArrayBuffer;
  readonly 'geo-table': Parsed<SharedArrayBuffer>;
}

export interface CompileRequest {
  readonly id: number;
  readonly job: CompileJob;
}

/** `failure` is a bug's message: jobs report what the operator can mend in their results. */
export type CompileReply =
  | { readonly id: number; readonly result: CompileResults[CompileJob['kind']] }
  | { readonly id: number; readonly failure: string };
