import { z } from 'zod';
import { parseBody } from '../config/contract.ts';
import { type ApiCollection, isShelf } from './collection.ts';
import {
  create,
  identityOfUrl,
  noSuch,
  patch,
  remove,
  replace,
  type WriteContext,
} from './collection-writes.ts';
import { MERGE_PATCH_MEDIA_TYPE } from './merge-patch.ts';
import { pageQuery } from './page.ts';
import { entityTag } from './preconditions.ts';
import type { HttpProblemCode } from './problem-details.ts';
import { isProblemReply, JSON_MEDIA_TYPE, json, type Reply, refuse } from './reply.ts';
import type { Answer, ApiRequest, HeaderText, Route } from './route.ts';
import { shownForm, storedFormSchema } from './stored-form.ts';

const ETAG: HeaderText = { name: 'ETag', description: 'Changes with every write of the resource.' };
const LOCATION: HeaderText = { name: 'Location', description: 'The URL of the resource.' };
const IF_MATCH: HeaderText = {
  name: 'If-Match',
  description: 'The ETag that was read; the write is refused when the resource has changed since.',
};
const IF_NONE_MATCH: HeaderText = {
  name: 'If-None-Match',
  description: '`*` creates only, and is refused when the resource exists.',
};
const REASON: HeaderText = { name: 'Meridian-Reason', description: 'Why; kept with the change.' };

const WRITE_REFUSALS: readonly HttpProblemCode[] = [
  'bad-parameter',
  'not-found',
  'owned-by-directory',
  'not-valid',
];
const BODY_REFUSALS: readonly HttpProblemCode[] = ['malformed-json', 'wrong-content-type', 'body-too-large'];

/** All operations of one collection: list, read, create, replace, patch, delete. */
export function collectionRoutes<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
): readonly Route[] {
  const stored = storedFormSchema(collection.one, collection.valueSchema, collection.figuresShape);
  return [...readRoutes(context, collection, stored), ...writeRoutes(context, collection, stored)];
}

/** List and read alone, for a collection that other operations write. */
export function readOnlyRoutes<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
): readonly Route[] {
  return readRoutes(context, collection, storedFormSchema(collection.one, collection.valueSchema));
}

function readRoutes<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  stored: z.ZodType,
): readonly Route[] {
  const { many, one, noun, tag, parameters } = collection;
  const page = z.object({ items: z.array(stored), next: z.string().optional() });
  return [
    {
      method: 'get',
      path: collection.path,
      operationId: `list${many}`,
      tag,
      summary: `Lists ${many} by name, one page at a time.`,
      parameters,
      query: pageQuery,
      answers: [{ status: 200, description: 'One page.', mediaType: JSON_MEDIA_TYPE, schema: page }],
      refusals: ['bad-parameter', 'not-found'],
      run: (request) => list(context, collection, request),
    },
    {
      method: 'get',
      path: collection.itemPath,
      operationId: `read${one}`,
      tag,
      summary: `Reads one ${noun}.`,
      parameters,
      answers: [
        {
          status: 200,
          description: `The ${noun}.`,
          mediaType: JSON_MEDIA_TYPE,
          schema: stored,
          headers: [ETAG],
        },
        { status: 304, description: 'It has not changed since the ETag in If-None-Match.' },
      ],
      refusals: ['bad-parameter', 'not-found'],
      run: (request) => read(context, collection, request),
    },
  ];
}

function writeRoutes<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  stored: z.ZodType,
): readonly Route[] {
  const { one, noun, tag, parameters, path, itemPath, schema } = collection;
  const form = { mediaType: JSON_MEDIA_TYPE, schema: stored };
  const created: Answer = { ...form, status: 201, description: 'Created.', headers: [ETAG, LOCATION] };
  const changed: Answer = { ...form, status: 200, description: 'Replaced.', headers: [ETAG, LOCATION] };
  const bodied = [...WRITE_REFUSALS, ...BODY_REFUSALS, 'overloaded'] as const;
  return [
    {
      method: 'post',
      path,
      operationId: `create${one}`,
      tag,
      summary: `Creates a ${noun}.`,
      parameters,
      headers: [REASON],
      body: { schema, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [created],
      refusals: [...bodied, 'already-exists'],
      run: (request) => create(context, collection, request),
    },
    {
      method: 'put',
      path: itemPath,
      operationId: `replace${one}`,
      tag,
      summary: `Creates or replaces a ${noun}; the body may leave its name out.`,
      parameters,
      headers: [IF_MATCH, IF_NONE_MATCH, REASON],
      body: { schema, mediaTypes: [JSON_MEDIA_TYPE] },
      answers: [changed, created],
      refusals: [...bodied, 'precondition-failed'],
      run: (request) => replace(context, collection, request),
    },
    {
      method: 'patch',
      path: itemPath,
      operationId: `patch${one}`,
      tag,
      summary: `Changes fields of a ${noun} by JSON Merge Patch (RFC 7396).`,
      parameters,
      headers: [IF_MATCH, REASON],
      body: { schema: patchSchema(one), mediaTypes: [MERGE_PATCH_MEDIA_TYPE, JSON_MEDIA_TYPE] },
      answers: [changed],
      refusals: [...bodied, 'precondition-failed'],
      run: (request) => patch(context, collection, request),
    },
    {
      method: 'delete',
      path: itemPath,
      operationId: `delete${one}`,
      tag,
      summary: `Deletes a ${noun}.`,
      parameters,
      headers: [IF_MATCH, REASON],
      answers: [{ status: 204, description: 'Deleted.' }],
      refusals: [...WRITE_REFUSALS, 'precondition-failed', 'overloaded'],
      run: (request) => remove(context, collection, request),
    },
  ];
}

async function list<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
): Promise<Reply> {
  const query = parseBody(pageQuery, request.query, '');
  if (!query.ok) return refuse('bad-parameter', 'The page asked for is not valid.', query.problems);
  const shelf = collection.open(context.plane.config, request.params);
  if (!isShelf(shelf)) return shelf;
  const page = await shelf.page(query.value);
  return json({ ...page, items: page.items.map((stored) => shownForm(shelf, stored)) });
}

function read<T, B>(context: WriteContext, collection: ApiCollection<T, B>, request: ApiRequest): Reply {
  const identity = identityOfUrl(collection, request.params);
  if (isProblemReply(identity)) return identity;
  const shelf = collection.open(context.plane.config, request.params);
  if (!isShelf(shelf)) return shelf;
  const stored = shelf.entries.get(identity.key);
  if (stored === undefined) return noSuch(collection, identity);
  return json(shownForm(shelf, stored), 200, { ETag: entityTag(stored.revision) });
}

/** A merge patch is any object; what it gives is checked whole. */
function patchSchema(one: string): z.ZodType {
  return z
    .record(z.string(), z.unknown())
    .meta({ id: `${one}Patch`, description: 'Fields to set; null removes a field.' });
}
