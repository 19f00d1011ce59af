import type { z } from 'zod';
import type { Change, Collection, Config, Stored } from '../config/model.ts';
import type { Parsed } from '../config/problem.ts';
import { resourcePath } from '../config/resource-path.ts';
import type { ApiCollection, Identity } from './collection.ts';
import { pageOf } from './page.ts';
import type { ProblemReply } from './reply.ts';
import type { Params } from './route.ts';

/** What tells one collection at the top of the configuration from another. */
interface TopLevelCollection<T, B> {
  readonly noun: string;
  readonly one: string;
  readonly many: string;
  /** `data-centers`. */
  readonly segment: string;
  readonly parameter: string;
  readonly parameterText: string;
  /** The field of a body that names the resource. */
  readonly field: string;
  readonly schema: z.ZodType<B>;
  readonly valueSchema: z.ZodType;
  readonly identify: (fields: Params) => Parsed<Identity>;
  readonly collection: Collection;
  readonly entries: (config: Config) => ReadonlyMap<string, Stored<T>>;
  readonly toValue: (body: B) => T;
  readonly toBody: (value: T) => unknown;
  readonly show?: (value: T) => unknown;
  readonly keep?: (value: T, existing: T) => T;
  readonly figuresShape?: z.ZodRawShape;
  /** Made anew for every request: the figures of its resources are of one moment. */
  readonly figures?: () => (value: T) => object;
  readonly changes: (key: string, value: T | undefined) => readonly Change[];
  readonly refuse?: (value: T) => ProblemReply | undefined;
}

/** Completes the description of a collection that lies in nothing else. */
export function topLevelCollection<T, B>(source: TopLevelCollection<T, B>): ApiCollection<T, B> {
  const { noun, one, many, segment, parameter, field, schema, valueSchema, identify } = source;
  return {
    tag: segment,
    noun,
    one,
    many,
    path: `/v1/${segment}`,
    itemPath: `/v1/${segment}/{${parameter}}`,
    parameters: { [parameter]: source.parameterText },
    identity: [{ field, parameter }],
    schema,
    valueSchema,
    figuresShape: source.figuresShape,
    identify,
    lane: (_, key) => resourcePath(source.collection, key),
    problemPath: (_, key) => (key === undefined ? source.collection : resourcePath(source.collection, key)),
    open: (config) => ({
      entries: source.entries(config),
      page: (query) => pageOf(source.entries(config), query),
      toValue: source.toValue,
      toBody: source.toBody,
      changes: source.changes,
      ...(source.show === undefined ? {} : { show: source.show }),
      ...(source.figures === undefined ? {} : { figures: source.figures() }),
      ...(source.keep === undefined ? {} : { keep: source.keep }),
      ...(source.refuse === undefined ? {} : { refuse: source.refuse }),
    }),
  };
}
