import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Parsed, type Problem, parsed, reasonOf, refused } from '../../config/problem.ts';
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
    const why = reasonOf(error);
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

/** The node's own secret. */
interface OwnSecrets {
  readonly secrets: readonly Uint8Array[];
  /** Why a secret that was there is not used any more, or why this one will not be there at the next start. */
  readonly problems: readonly Problem[];
}

/**
 * The node's own secret, drawn when it starts for the first time; readable by its owner alone. One that cannot be used
 * is drawn anew, and one that cannot be kept lives as long as this process: resolvers get a new cookie and ask once more
 * (RFC 7873 section 5.2.4), which is better than a node that does not start.
 */
export async function ownCookieSecrets(file: string): Promise<Parsed<OwnSecrets>> {
  try {
    await mkdir(dirname(file), { recursive: true });
  } catch (error) {
    return { ok: false, problems: [unwritable(file, error)] };
  }
  const problems: Problem[] = [];
  try {
    if (!existsSync(file)) await drawSecret(file);
    const kept = await readCookieSecrets(file);
    if (kept.ok) return parsed({ secrets: kept.value, problems });
    problems.push(...kept.problems);
    await rm(file);
    await drawSecret(file);
    const drawn = await readCookieSecrets(file);
    if (drawn.ok) return parsed({ secrets: drawn.value, problems });
    problems.push(...drawn.problems);
  } catch (error) {
    problems.push(unwritable(file, error));
  }
  return parsed({ secrets: [new Uint8Array(randomBytes(COOKIE_SECRET_OCTETS))], problems });
}

function unwritable(file: string, error: unknown): Problem {
  const why = reasonOf(error);
  return { code: 'unwritable-cookie-secret', path: file, message: `The secret cannot be kept: ${why}.` };
}

/**
 * Leaves a secret that another process draws at the same moment. It gets its name when it is on disk, so that no loss of
 * power leaves half of it.
 */
async function drawSecret(file: string): Promise<void> {
  const half = `${file}.${process.pid}.${randomBytes(4).toString('hex')}.new`;
  const secret = `${randomBytes(COOKIE_SECRET_OCTETS).toString('hex')}\n`;
  try {
    await writeFile(half, secret, { flag: 'wx', mode: 0o600, flush: true });
    await link(half, file);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    await rm(half, { force: true });
  }
}
