import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Parsed, parsed, refused } from '../../config/problem.ts';
import { COOKIE_SECRET_OCTETS } from '../../protection/cookies.ts';

/** Of the node's own secret in its data directory. */
export const COOKIE_SECRET_FILE = 'cookie-secret';

/** One that makes cookies, and one that is on its way in or out (RFC 9018 section 5). */
const MAX_SECRETS = 2;

/**
 * Reads a file of one or two secrets, a line of 32 hexadecimal digits each; the first makes cookies, both are good.
 * Empty lines and lines that begin with `#` are left out.
 */
export async function readCookieSecrets(file: string): Promise<Parsed<readonly Uint8Array[]>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refused('unreadable-cookie-secret', file, `The cookie secret cannot be read: ${why}.`);
  }
  const lines = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const digits = 2 * COOKIE_SECRET_OCTETS;
  const wrong = lines.some((line) => line.length !== digits || !/^[0-9a-fA-F]*$/.test(line));
  if (wrong || lines.length === 0 || lines.length > MAX_SECRETS)
    return refused(
      'bad-cookie-secret',
      file,
      `A cookie secret file has one or two lines of ${digits} hexadecimal digits, such as the output of "openssl rand -hex ${COOKIE_SECRET_OCTETS}".`,
    );
  return parsed(lines.map((line) => new Uint8Array(Buffer.from(line, 'hex'))));
}

/** The node's own secret, drawn when it starts for the first time; readable by its owner alone. */
export async function ownCookieSecrets(file: string): Promise<Parsed<readonly Uint8Array[]>> {
  try {
    await mkdir(dirname(file), { recursive: true });
    await drawSecret(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return refused('unwritable-cookie-secret', file, `The secret cannot be kept: ${why}.`);
  }
  return readCookieSecrets(file);
}

/** Leaves a secret that is there, or that another process draws at the same moment. */
async function drawSecret(file: string): Promise<void> {
  const secret = `${randomBytes(COOKIE_SECRET_OCTETS).toString('hex')}\n`;
  try {
    await writeFile(file, secret, { flag: 'wx', mode: 0o600, flush: true });
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  }
}
