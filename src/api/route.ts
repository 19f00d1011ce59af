import type { z } from 'zod';
import type { HttpProblemCode } from './problem-details.ts';
import type { Reply } from './reply.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** A request as routes see it. */
export interface ApiRequest {
  /** Decoded values of the path's parameters. */
  readonly params: Params;
  readonly query: unknown;
  /** A header's value by its lower-case name. */
  readonly header: (name: string) => string | undefined;
  /** Address of the peer of the connection; undefined once that is gone. */
  readonly sender: string | undefined;
  /**
   * The parsed JSON body, bounded in size, depth and number of values, or the text of a CSV body; undefined where the
   * route takes none.
   */
  readonly body: unknown;
}

export type Params = Readonly<Record<string, string>>;

/** A header of a request or an answer, for the OpenAPI document. */
export interface HeaderText {
  readonly name: string;
  readonly description: string;
}

/** A successful answer, for the OpenAPI document. */
export interface Answer {
  readonly status: number;
  readonly description: string;
  readonly mediaType?: string;
  readonly schema?: z.ZodType;
  readonly headers?: readonly HeaderText[];
}

/**
 * One operation: what Express runs and what the OpenAPI document tells, in one value, so that they cannot differ.
 */
export interface Route {
  readonly method: Method;
  /** With parameters in braces: `/v1/pools/{pool}`. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: string;
  readonly summary: string;
  /** What the parameters of the path mean. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly query?: z.ZodObject;
  readonly headers?: readonly HeaderText[];
  readonly body?: {
    readonly schema: z.ZodType;
    readonly mediaTypes: readonly string[];
    /** Largest body; `MAX_BODY_BYTES` without it. */
    readonly maxBytes?: number;
  };
  readonly answers: readonly Answer[];
  /** Refusals beyond those that every route, and every write, has. */
  readonly refusals: readonly HttpProblemCode[];
  readonly run: (request: ApiRequest) => Reply | Promise<Reply>;
}

/** Whether an operation changes something, and so needs authority. */
export function isWrite(method: string): boolean {
  return !['get', 'head', 'options'].includes(method.toLowerCase());
}
