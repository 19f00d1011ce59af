import { parseBody } from '../config/contract.ts';
import type { Authorship, Config, Stored } from '../config/model.ts';
import { refuseForeignEdits } from '../config/owners.ts';
import type { Problem } from '../config/problem.ts';
import { type ApiCollection, type Identity, isShelf, itemUrl, type Shelf } from './collection.ts';
import type { ControlPlane } from './control-plane.ts';
import { isJsonObject, mergePatch } from './merge-patch.ts';
import { entityTag, refusePrecondition } from './preconditions.ts';
import { empty, isProblemReply, json, type ProblemReply, type Reply, refuse } from './reply.ts';
import type { ApiRequest, Params } from './route.ts';
import { shownForm } from './stored-form.ts';
import type { WriteLanes } from './write-lanes.ts';

/** What a write needs beside the request. */
export interface WriteContext {
  readonly plane: ControlPlane;
  readonly lanes: WriteLanes;
}

/** Longest reason kept with a write: a sentence or two. */
export const MAX_REASON_LENGTH = 500;

const REASON_HEADER = 'meridian-reason';
const API_AUTHOR = 'api';
const RETRY_AFTER_SECONDS = '1';

/** PUT: creates or replaces. */
export async function replace<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
): Promise<Reply> {
  const identity = identityOfUrl(collection, request.params);
  if (isProblemReply(identity)) return identity;
  const body = bodyFor(collection, request.params, identity, request.body);
  if (isProblemReply(body)) return body;
  return await inLane(context, collection, request, identity, ({ config, shelf, existing }) => {
    const refusal = refuseForeign(config, shelf, identity) ?? refusePrecondition(request, existing?.revision);
    if (refusal !== undefined) return refusal;
    const value = shelf.toValue(body);
    const kept = existing === undefined ? value : (shelf.keep?.(value, existing.value) ?? value);
    return put(context, collection, request, identity, shelf, kept, existing);
  });
}

/** POST to the collection: creates, and refuses where the resource exists. */
export async function create<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
): Promise<Reply> {
  const parsed = parseBody(
    collection.schema,
    request.body,
    collection.problemPath(request.params, undefined),
  );
  if (!parsed.ok) return notValid(parsed.problems);
  const identity = identityOfBody(collection, request.params, parsed.value);
  if (isProblemReply(identity)) return identity;
  const body = { ...parsed.value, ...identity.fields };
  return await inLane(context, collection, request, identity, ({ config, shelf, existing }) => {
    const refusal = refuseForeign(config, shelf, identity);
    if (refusal !== undefined) return refusal;
    if (existing !== undefined) {
      return refuse('already-exists', `The ${collection.noun} ${identity.key} exists already.`);
    }
    return put(context, collection, request, identity, shelf, shelf.toValue(body), existing);
  });
}

/** PATCH: a JSON Merge Patch on the resource as it is. */
export async function patch<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
): Promise<Reply> {
  const identity = identityOfUrl(collection, request.params);
  if (isProblemReply(identity)) return identity;
  return await inLane(context, collection, request, identity, ({ config, shelf, existing }) => {
    if (existing === undefined) return noSuch(collection, identity);
    const refusal = refuseForeign(config, shelf, identity) ?? refusePrecondition(request, existing.revision);
    if (refusal !== undefined) return refusal;
    const merged = mergePatch(shelf.toBody(existing.value), request.body);
    const body = bodyFor(collection, request.params, identity, merged);
    if (isProblemReply(body)) return body;
    return put(context, collection, request, identity, shelf, shelf.toValue(body), existing);
  });
}

/** DELETE. */
export async function remove<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
): Promise<Reply> {
  const identity = identityOfUrl(collection, request.params);
  if (isProblemReply(identity)) return identity;
  return await inLane(context, collection, request, identity, async ({ config, shelf, existing }) => {
    if (existing === undefined) return noSuch(collection, identity);
    const refusal = refuseForeign(config, shelf, identity) ?? refusePrecondition(request, existing.revision);
    if (refusal !== undefined) return refusal;
    const authorship = authorshipOf(request);
    if (isProblemReply(authorship)) return authorship;
    const outcome = await context.plane.write(shelf.changes(identity.key, undefined), authorship);
    return outcome.ok ? empty() : refusedWrite(outcome.problems);
  });
}

/** The resource that a URL names. */
export function identityOfUrl<T, B>(
  collection: ApiCollection<T, B>,
  params: Params,
): Identity | ProblemReply {
  const fields = Object.fromEntries(
    collection.identity.map(({ field, parameter }) => [field, params[parameter] ?? '']),
  );
  const identity = collection.identify(fields);
  if (identity.ok) return identity.value;
  return refuse('bad-parameter', sentenceOf(identity.problems), identity.problems);
}

/** 404 for a resource. */
export function noSuch<T, B>(collection: ApiCollection<T, B>, identity: Identity): ProblemReply {
  return refuse('not-found', `There is no ${collection.noun} ${identity.key}.`);
}

function identityOfBody<T, B>(
  collection: ApiCollection<T, B>,
  params: Params,
  body: B,
): Identity | ProblemReply {
  const given = new Map(Object.entries(body as object));
  const fields = Object.fromEntries(
    collection.identity.map(({ field }) => [field, String(given.get(field))]),
  );
  const identity = collection.identify(fields);
  if (identity.ok) return identity.value;
  const root = collection.problemPath(params, undefined);
  return notValid(identity.problems.map((problem) => ({ ...problem, path: `${root}/${problem.path}` })));
}

/** Checks a body whose resource the URL names: the body names the same one, or leaves the name out. */
function bodyFor<T, B>(
  collection: ApiCollection<T, B>,
  params: Params,
  identity: Identity,
  body: unknown,
): B | ProblemReply {
  const path = collection.problemPath(params, identity.key);
  const named = isJsonObject(body) ? { ...identity.fields, ...body } : body;
  const parsed = parseBody(collection.schema, named, path);
  if (!parsed.ok) return notValid(parsed.problems);
  const own = identityOfBody(collection, params, parsed.value);
  if (isProblemReply(own)) return own;
  if (own.key !== identity.key) {
    const message = `The body names ${own.key}, but the URL names ${identity.key}; leave the name out of the body.`;
    return notValid([{ code: 'name-mismatch', path, message }]);
  }
  return { ...parsed.value, ...own.fields };
}

/** What a write finds when its turn has come. */
interface Turn<T, B> {
  readonly config: Config;
  readonly shelf: Shelf<T, B>;
  readonly existing: Stored<T> | undefined;
}

async function inLane<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
  identity: Identity,
  task: (turn: Turn<T, B>) => Reply | Promise<Reply>,
): Promise<Reply> {
  const lane = collection.lane(request.params, identity.key);
  const reply = context.lanes.run(lane, async () => {
    const { config } = context.plane;
    const shelf = collection.open(config, request.params);
    if (!isShelf(shelf)) return shelf;
    return await task({ config, shelf, existing: shelf.entries.get(identity.key) });
  });
  const tooMany = 'Too many writes are waiting; repeat this one in a moment.';
  return reply ?? refuse('overloaded', tooMany, [], { 'Retry-After': RETRY_AFTER_SECONDS });
}

async function put<T, B>(
  context: WriteContext,
  collection: ApiCollection<T, B>,
  request: ApiRequest,
  identity: Identity,
  shelf: Shelf<T, B>,
  value: T,
  existing: Stored<T> | undefined,
): Promise<Reply> {
  const refusal = shelf.refuse?.(value);
  if (refusal !== undefined) return refusal;
  const authorship = authorshipOf(request);
  if (isProblemReply(authorship)) return authorship;
  const outcome = await context.plane.write(shelf.changes(identity.key, value), authorship);
  if (!outcome.ok) return refusedWrite(outcome.problems);
  const written = collection.open(outcome.config, request.params);
  const stored = isShelf(written) ? written.entries.get(identity.key) : undefined;
  if (stored === undefined)
    throw new Error(`${collection.noun} ${identity.key} is missing right after its write`);
  return json(shownForm(shelf, stored), existing === undefined ? 201 : 200, {
    ETag: entityTag(stored.revision),
    Location: itemUrl(collection, request.params, identity),
  });
}

/** What a directory owns is changed in its files; the problem names the file and line. */
function refuseForeign<T, B>(
  config: Config,
  shelf: Shelf<T, B>,
  identity: Identity,
): ProblemReply | undefined {
  const problems = refuseForeignEdits(config, shelf.changes(identity.key, undefined));
  return problems.length === 0 ? undefined : refusedWrite(problems);
}

/** Who writes and why; a refusal where the reason is too long. */
export function authorshipOf(request: ApiRequest): Authorship | ProblemReply {
  const reason = readReason(request.header(REASON_HEADER) ?? '');
  if (reason.length <= MAX_REASON_LENGTH) return { author: API_AUTHOR, reason };
  return refuse('bad-parameter', `Meridian-Reason may have at most ${MAX_REASON_LENGTH} characters.`);
}

/** Header values arrive as Latin-1; a client that sends UTF-8 means UTF-8. */
function readReason(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'latin1'));
  } catch {
    return value;
  }
}

/** The answer to a write that the control plane refused. */
export function refusedWrite(problems: readonly Problem[]): ProblemReply {
  const owned = problems.find((problem) => problem.code === 'owned-by-directory');
  return owned === undefined ? notValid(problems) : refuse('owned-by-directory', owned.message, problems);
}

/** The answer to a body that is not what it should be. */
export function notValid(problems: readonly Problem[]): ProblemReply {
  return refuse('not-valid', sentenceOf(problems), problems);
}

function sentenceOf(problems: readonly Problem[]): string {
  const [first] = problems;
  if (first === undefined) return 'The write was refused.';
  const where = first.path === '' ? '' : `${first.path}: `;
  const rest = problems.length > 1 ? ` (and ${problems.length - 1} more)` : '';
  return `${where}${first.message}${rest}`;
}
