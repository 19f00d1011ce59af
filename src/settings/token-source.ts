import { type Parsed, type Problem, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { formatListenAddress, type ListenAddress } from '../server/listen-address.ts';
import { type GivenSettings, oneText } from './given-settings.ts';
import { isLoopback } from './listen-addresses.ts';

/** Where the bearer token of writes comes from. A file is read by whoever starts the node. */
export type TokenSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly file: string };

/** Shorter tokens can be guessed; 16 characters of hex are 64 bits. */
const MIN_TOKEN_LENGTH = 16;

const tokenFileFlag: Flag = {
  name: 'token-file',
  value: 'FILE',
  variable: 'MERIDIAN_TOKEN_FILE',
  summary:
    'File with the bearer token of writes; MERIDIAN_TOKEN gives the token itself. Required beyond loopback.',
};

export const tokenFlags: readonly Flag[] = [tokenFileFlag];

export function parseTokenSource(given: GivenSettings): Parsed<TokenSource> {
  const file = oneText(tokenFileFlag, given);
  const text = given.env.MERIDIAN_TOKEN;
  if (!file.ok) return file;
  if (text === undefined || text === '' || given.flags.values.has(tokenFileFlag.name))
    return {
      ok: true,
      value: file.value === undefined ? { kind: 'none' } : { kind: 'file', file: file.value },
    };
  if (file.value !== undefined)
    return refused('two-tokens', 'MERIDIAN_TOKEN', 'set MERIDIAN_TOKEN or MERIDIAN_TOKEN_FILE, not both.');
  const token = parseToken(text, 'MERIDIAN_TOKEN');
  return token.ok ? { ok: true, value: { kind: 'text', text: token.value } } : token;
}

/** A bearer token as a file or the environment gives it, white space around it left out. */
export function parseToken(text: string, path: string): Parsed<string> {
  const token = text.trim();
  if (!/^[\x21-\x7e]*$/.test(token))
    return refused('bad-token', path, `the token of ${path} must be one word of visible ASCII characters.`);
  if (token.length < MIN_TOKEN_LENGTH)
    return refused(
      'weak-token',
      path,
      `the token of ${path} is too short; use at least ${MIN_TOKEN_LENGTH} characters, such as the output of "openssl rand -hex 32".`,
    );
  return { ok: true, value: token };
}

/** The problem of an API that anybody could write to. */
export function tokenNeeded(api: readonly ListenAddress[]): Problem {
  const open = api.filter((address) => !isLoopback(address)).map(formatListenAddress);
  return {
    code: 'token-needed',
    path: '--api',
    message: `the API on ${open.join(', ')} could be written to by anybody; give it a token with --token-file, or keep it on 127.0.0.1.`,
  };
}
