import { isUtf8 } from 'node:buffer';
import type { IncomingMessage, ServerResponse } from 'node:http';
import express, { type NextFunction, type Request, type RequestHandler, type Response } from 'express';
import { brokenJsonLimit, type JsonLimit, MAX_JSON_DEPTH, MAX_JSON_VALUES } from './json-limits.ts';
import { type ProblemReply, refuse, sendReply } from './reply.ts';

/** Largest body: a pool of 1,024 endpoints has about 250 KB. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** The one media type that is no JSON; its body stays text. */
export const CSV_MEDIA_TYPE = 'text/csv';

/**
 * Reads a JSON body of one of the media types, or a CSV body where that is among them, within limits. The content type is required: a browser sends JSON
 * to another origin only after asking, so that a foreign page cannot write by a plain form.
 */
export function readBody(
  mediaTypes: readonly string[],
  maxBytes: number = MAX_BODY_BYTES,
): readonly RequestHandler[] {
  return [
    (request, response, next) => passOrRefuse(refuseContent(request, mediaTypes), request, response, next),
    // Compressed bodies are refused: their limit would have to be checked twice.
    express.text({ limit: maxBytes, type: CSV_MEDIA_TYPE, inflate: false, verify: demandUtf8 }),
    express.json({
      limit: maxBytes,
      type: (request) => request.headers['content-type']?.toLowerCase().startsWith(CSV_MEDIA_TYPE) !== true,
      strict: false,
      inflate: false,
      verify: demandUtf8,
    }),
    (request, response, next) => passOrRefuse(refuseJson(request.body), request, response, next),
  ];
}

/**
 * RFC 8259 section 8.1: JSON is UTF-8. Anything else would be stored with replacement characters in the place of what
 * was meant. The error's type is the one that Express gives a charset it does not know.
 */
function demandUtf8(
  _request: IncomingMessage,
  _response: ServerResponse,
  body: Buffer,
  charset: string,
): void {
  if (charset === 'utf-8' && isUtf8(body)) return;
  throw Object.assign(new Error('not UTF-8'), { type: 'charset.unsupported' });
}

function passOrRefuse(
  refusal: ProblemReply | undefined,
  request: Request,
  response: Response,
  next: NextFunction,
): void {
  if (refusal === undefined) next();
  else sendReply(response, refusal, request.path);
}

function refuseContent(request: Request, mediaTypes: readonly string[]): ProblemReply | undefined {
  const length = request.headers['content-length'] ?? '0';
  if (request.headers['transfer-encoding'] === undefined && length === '0') {
    return refuse('malformed-json', 'The request needs a body.');
  }
  if (request.is([...mediaTypes]) !== false) return undefined;
  const accepted = mediaTypes.join(', ');
  return refuse('wrong-content-type', `Send the body as ${accepted}.`, [], { Accept: accepted });
}

function refuseJson(body: unknown): ProblemReply | undefined {
  const limit = brokenJsonLimit(body);
  return limit === undefined ? undefined : refuse(...limitTexts[limit]);
}

const limitTexts: Readonly<Record<JsonLimit, readonly ['malformed-json' | 'body-too-large', string]>> = {
  'too-deep': ['malformed-json', `The body nests deeper than ${MAX_JSON_DEPTH} levels.`],
  'too-many-values': ['body-too-large', `The body has more than ${MAX_JSON_VALUES} values.`],
  'forbidden-key': ['malformed-json', 'The body has a field called __proto__, which is never allowed.'],
};
