import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { AlertMessage } from './alert-message.ts';

/** From the first packet to the last octet of the answer. */
export const WEBHOOK_TIMEOUT_MS = 10_000;

/** Nothing of the answer is needed but its status; a few lines of it help to find a mistake. */
const MAX_ANSWER_OCTETS = 2048;

const MAX_ERROR_LENGTH = 300;

/** RFC 9110 section 15.2 has no limit, and each costs this thread as much as an answer; receivers send one or none. */
const MAX_INTERIM_RESPONSES = 16;

/** How an attempt ended. */
export type PostOutcome =
  | { readonly kind: 'taken'; readonly status: number }
  /** Another attempt may do better. */
  | {
      readonly kind: 'try-again';
      readonly status: number | undefined;
      readonly error: string;
      readonly afterMs: number | undefined;
    }
  /** The receiver will never take this message. */
  | { readonly kind: 'refused'; readonly status: number; readonly error: string };

/** Client errors that speak of the moment and not of the message: timeout, too early, too many. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429]);

/**
 * Sends a message once. Follows no redirect, reads a bounded part of the answer, and ends within the timeout; never
 * rejects. It ends early, as a failure, when the signal says so.
 */
export function postWebhook(
  url: string,
  { body, headers }: AlertMessage,
  options: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<PostOutcome> {
  return new Promise((resolve) => {
    const fail = (error: string): void =>
      end({ kind: 'try-again', status: undefined, error, afterMs: undefined });
    const timer = setTimeout(() => fail(`no answer within ${options.timeoutMs} ms`), options.timeoutMs);
    const abort = (): void => fail('this node is stopping');
    const end = (outcome: PostOutcome): void => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', abort);
      resolve(outcome);
      request?.destroy();
    };
    options.signal.addEventListener('abort', abort);
    const request = open(url, headers, body);
    if (request === undefined) return fail('its URL cannot be used');
    request.on('error', (error) => fail(sentenceOf(error)));
    let interim = 0;
    request.on('information', () => {
      interim += 1;
      if (interim > MAX_INTERIM_RESPONSES) fail(`more than ${MAX_INTERIM_RESPONSES} interim responses`);
    });
    request.on('response', (response: IncomingMessage) => {
      readStart(response, (text) => end(outcomeOf(response, text)));
    });
    if (options.signal.aborted) abort();
    else request.end(body);
  });
}

function open(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string,
): ReturnType<typeof httpRequest> | undefined {
  const length = String(Buffer.byteLength(body));
  // A connection of its own: an old one that the receiver has closed meanwhile would be a failure of ours.
  const options = { method: 'POST', agent: false, headers: { ...headers, 'content-length': length } };
  try {
    return url.startsWith('https:') ? httpsRequest(url, options) : httpRequest(url, options);
  } catch {
    return undefined;
  }
}

/** Calls back once, with the first octets of the answer, when it ends, breaks or goes beyond the bound. */
function readStart(response: IncomingMessage, done: (text: string) => void): void {
  const parts: Buffer[] = [];
  let length = 0;
  const finish = (): void => done(Buffer.concat(parts).subarray(0, MAX_ANSWER_OCTETS).toString('utf8'));
  response.on('data', (part: Buffer) => {
    parts.push(part);
    length += part.length;
    if (length >= MAX_ANSWER_OCTETS) finish();
  });
  response.on('end', finish);
  // The status has come; what is missing of the answer changes nothing.
  response.on('error', finish);
  response.on('close', finish);
}

function outcomeOf(response: IncomingMessage, text: string): PostOutcome {
  const status = response.statusCode ?? 0;
  if (status >= 200 && status < 300) return { kind: 'taken', status };
  const error = `HTTP ${status}${status >= 300 && status < 400 ? ', and redirects are not followed' : excerpt(text)}`;
  if (status >= 400 && status < 500 && !PASSING_STATUSES.has(status))
    return { kind: 'refused', status, error };
  return { kind: 'try-again', status, error, afterMs: retryAfterMs(response.headers['retry-after']) };
}

/** RFC 9110 section 10.2.3, in seconds; the form with a date is left to our own waits. */
function retryAfterMs(value: string | undefined): number | undefined {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : undefined;
}

function excerpt(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a stranger sends is shown to people.
  const plain = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
  return plain === '' ? '' : `: ${plain.slice(0, MAX_ERROR_LENGTH)}`;
}

function sentenceOf(error: Error): string {
  return error.message.slice(0, MAX_ERROR_LENGTH) || 'the connection failed';
}
