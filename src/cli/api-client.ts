import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { problemSchema } from '../api/answer-schemas.ts';
import type { Arguments } from '../flags.ts';
import { CommandError, EXIT_USAGE, type Terminal } from './command.ts';

const DEFAULT_API_URL = 'http://127.0.0.1:8053';
/** A node that has not answered by then has something else to do; the operator wants to know. */
const TIMEOUT_MS = 10_000;

/** RFC 9110 section 15.3.5. */
const NO_CONTENT = 204;
const NOT_FOUND = 404;

class NotFoundError extends CommandError {}

const refusalSchema = z.object({
  title: z.string(),
  detail: z.string().optional(),
  problems: z.array(problemSchema).default([]),
});

/** Asks one node; every failure is a sentence that says what to do. */
export interface ApiClient {
  get<T>(path: string, schema: z.ZodType<T>): Promise<T>;
  /** Undefined where the node has no such thing. */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** Without a body where none is given. */
  post<T>(path: string, schema: z.ZodType<T>, body?: unknown): Promise<T>;
}

/** Takes the node's address and the token from flags, then from the environment. */
export async function createApiClient(given: Arguments, terminal: Terminal): Promise<ApiClient> {
  const { env } = terminal;
  const base = baseUrl(given.values.get('api')?.at(-1) ?? (env.MERIDIAN_API_URL || DEFAULT_API_URL));
  const tokenFile = given.values.get('token-file')?.at(-1) ?? (env.MERIDIAN_TOKEN_FILE || undefined);
  const token = tokenFile === undefined ? env.MERIDIAN_TOKEN : await readToken(tokenFile);
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
  return {
    get: (path, schema) => ask(new URL(path, base), { headers }, schema),
    find: async (path, schema) => {
      try {
        return await ask(new URL(path, base), { headers }, schema);
      } catch (error) {
        if (error instanceof NotFoundError) return undefined;
        throw error;
      }
    },
    post: (path, schema, body) => ask(new URL(path, base), postOf(headers, body), schema),
  };
}

function postOf(headers: Readonly<Record<string, string>>, body: unknown): RequestInit {
  if (body === undefined) return { headers, method: 'POST' };
  const typed = { ...headers, 'content-type': 'application/json' };
  return { headers: typed, method: 'POST', body: JSON.stringify(body) };
}

function baseUrl(text: string): URL {
  const url = URL.parse(text.includes('://') ? text : `http://${text}`);
  if (url === null || !['http:', 'https:'].includes(url.protocol))
    throw new CommandError(
      `--api: "${text}" is not the address of a node; write http://127.0.0.1:8053`,
      EXIT_USAGE,
    );
  return url;
}

async function readToken(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new CommandError(`cannot read the token in ${file}: ${messageOf(error)}`);
  }
}

async function ask<T>(url: URL, request: RequestInit, schema: z.ZodType<T>): Promise<T> {
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(url, { ...request, signal: AbortSignal.timeout(TIMEOUT_MS) });
    body = response.status === NO_CONTENT ? undefined : await response.json();
  } catch (error) {
    throw new CommandError(
      `no node answers at ${url.origin} (${messageOf(error)}); start one, or name another with --api`,
    );
  }
  if (response.status === NOT_FOUND) throw new NotFoundError(refusalOf(response, body));
  if (!response.ok) throw new CommandError(refusalOf(response, body));
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  throw new CommandError(`${url.origin} answers in a form this version does not know; use its own version`);
}

function refusalOf(response: Response, body: unknown): string {
  const refusal = refusalSchema.safeParse(body);
  if (!refusal.success) return `the node refused: HTTP ${response.status}`;
  const { title, detail, problems } = refusal.data;
  const lines = problems.map(({ path, message }) => `  ${path}: ${message}`);
  return [detail === undefined ? title : `${title}: ${detail}`, ...lines].join('\n');
}

/** `fetch` wraps what the system said. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
