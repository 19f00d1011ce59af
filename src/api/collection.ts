import type { z } from 'zod';
import type { Change, Config, Owner, Stored } from '../config/model.ts';
import type { Parsed } from '../config/problem.ts';
import type { Page, PageQuery } from './page.ts';
import type { ProblemReply } from './reply.ts';
import type { Params } from './route.ts';

/** What the API itself owns; files own the rest. */
export const API_OWNER: Owner = { kind: 'api' };

/**
 * What one collection needs beside the generic router: `T` is a resource as stored, `B` as callers send it.
 *
 *     /v1/zones/{zone}/rrsets                 path       scope: {zone}
 *     /v1/zones/{zone}/rrsets/{name}/{type}   itemPath   identity: name <- {name}, type <- {type}
 */
export interface ApiCollection<T, B> {
  readonly tag: string;
  /** For sentences: `pool`. */
  readonly noun: string;
  /** For operation ids: `Pool`, `Pools`. */
  readonly one: string;
  readonly many: string;
  readonly path: string;
  readonly itemPath: string;
  /** What each parameter of the paths means. */
  readonly parameters: Readonly<Record<string, string>>;
  /** The fields of a body that name the resource, and the parameters of the URL that do. */
  readonly identity: readonly IdentityField[];
  readonly schema: z.ZodType<B>;
  /** A resource as stored, for the OpenAPI document. */
  readonly valueSchema: z.ZodType;
  /** What `Shelf.figures` adds, for the OpenAPI document. */
  readonly figuresShape?: z.ZodRawShape | undefined;
  /** Makes the names of a URL or a body canonical. */
  readonly identify: (fields: Params) => Parsed<Identity>;
  /** Writes with equal lanes wait for each other; given the URL's parameters and the key. */
  readonly lane: (params: Params, key: string) => string;
  /** Where problems of a resource are said to be, as the checks of the configuration say it; of all, without a key. */
  readonly problemPath: (params: Params, key: string | undefined) => string;
  /** The collection at this moment; a refusal where what it lies in does not exist. */
  readonly open: (config: Config, params: Params) => Shelf<T, B> | ProblemReply;
}

interface IdentityField {
  readonly field: string;
  readonly parameter: string;
}

/** A resource's names in canonical form, and its key within the collection. */
export interface Identity {
  readonly key: string;
  readonly fields: Params;
}

/** One collection of one configuration. */
export interface Shelf<T, B> {
  readonly entries: Pick<ReadonlyMap<string, Stored<T>>, 'get'>;
  readonly page: (query: PageQuery) => Page<T> | Promise<Page<T>>;
  /** The resource that a body asks for. */
  readonly toValue: (body: B) => T;
  /** What a reader is shown of a resource; all of it without. Secrets are kept back here. */
  readonly show?: (value: T) => unknown;
  /** What a resource comes to at present, beside what was written: told with it and never stored. */
  readonly figures?: (value: T) => object;
  /** What a resource that replaces another keeps of it: what readers are not shown they cannot send along. */
  readonly keep?: (value: T, existing: T) => T;
  /** The body that would give this resource; what a patch is applied to. */
  readonly toBody: (value: T) => unknown;
  /** The changes that put the value at the key; undefined deletes. */
  readonly changes: (key: string, value: T | undefined) => readonly Change[];
  /** Why a value may not be written, beyond what the schema and the checks of the configuration say. */
  readonly refuse?: (value: T) => ProblemReply | undefined;
}

/** Whether a collection could not be opened. */
export function isShelf<T, B>(opened: Shelf<T, B> | ProblemReply): opened is Shelf<T, B> {
  return 'entries' in opened;
}

/** The URL of a resource, from the root of the API. */
export function itemUrl<T, B>(collection: ApiCollection<T, B>, params: Params, identity: Identity): string {
  const values = new Map(Object.entries(params));
  for (const { field, parameter } of collection.identity) values.set(parameter, identity.fields[field] ?? '');
  return collection.itemPath.replace(/\{(\w+)\}/g, (_, parameter: string) =>
    encodeURIComponent(values.get(parameter) ?? ''),
  );
}
