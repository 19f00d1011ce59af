import type { Response } from 'express';
import type { Problem } from '../config/problem.ts';
import { type HttpProblemCode, PROBLEM_MEDIA_TYPE, problemDetails } from './problem-details.ts';

export const JSON_MEDIA_TYPE = 'application/json';

type ReplyHeaders = Readonly<Record<string, string>>;

/** What a route answers; a value, so that routes can be read and tested without a socket. */
export type Reply =
  | { readonly kind: 'json'; readonly status: number; readonly body: unknown; readonly headers: ReplyHeaders }
  | {
      readonly kind: 'text';
      readonly status: number;
      readonly contentType: string;
      readonly text: string;
      readonly headers: ReplyHeaders;
    }
  | { readonly kind: 'empty'; readonly headers: ReplyHeaders }
  | ProblemReply
  | { readonly kind: 'stream'; readonly open: (response: Response) => void };

/** A refusal: sent as problem+json. */
export interface ProblemReply {
  readonly kind: 'problem';
  readonly code: HttpProblemCode;
  /** One sentence about this very request. */
  readonly detail: string;
  readonly problems: readonly Problem[];
  readonly headers: ReplyHeaders;
}

export function json(body: unknown, status = 200, headers: ReplyHeaders = {}): Reply {
  return { kind: 'json', status, body, headers };
}

export function text(contentType: string, content: string): Reply {
  return { kind: 'text', status: 200, contentType, text: content, headers: {} };
}

/** 204, for what has been deleted. */
export function empty(): Reply {
  return { kind: 'empty', headers: {} };
}

export function refuse(
  code: HttpProblemCode,
  detail: string,
  problems: readonly Problem[] = [],
  headers: ReplyHeaders = {},
): ProblemReply {
  return { kind: 'problem', code, detail, problems, headers };
}

/** Refuses parameters of the query string, with all that is wrong with them in one text. */
export function refuseParameters(problems: readonly Problem[]): ProblemReply {
  const sentences = problems.map(({ path, message }) => `${path}: ${message}`);
  return refuse('bad-parameter', sentences.join(' '), problems);
}

/** Whether a step of a route ended the request. */
export function isProblemReply(value: unknown): value is ProblemReply {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'problem';
}

/** The one place where replies become octets; `path` is told to the client as the problem's instance. */
export function sendReply(response: Response, reply: Reply, path: string): void {
  if (reply.kind === 'stream') {
    reply.open(response);
    return;
  }
  response.set(reply.headers);
  switch (reply.kind) {
    case 'json':
      response.status(reply.status).json(reply.body);
      return;
    case 'text':
      response.status(reply.status).type(reply.contentType).send(reply.text);
      return;
    case 'empty':
      response.status(204).end();
      return;
    case 'problem': {
      const details = problemDetails(reply.code, reply.detail, reply.problems, path);
      response.status(details.status).type(PROBLEM_MEDIA_TYPE).send(JSON.stringify(details));
      return;
    }
  }
}
