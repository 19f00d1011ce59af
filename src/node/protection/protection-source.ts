import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { readClusterKey } from '../../cluster/identity/cluster-key.ts';
import { deriveSecret } from '../../cluster/identity/derived-secrets.ts';
import { type Parsed, type Problem, parsed } from '../../config/problem.ts';
import type { ProtectionMessage } from '../../protection/protection.ts';
import { createLimiterTable, LIMITER_KEY_OCTETS } from '../../protection/rate-limit.ts';
import { compileProtection, defaultProtection, type ProtectionSettings } from '../../protection/settings.ts';
import { COOKIE_SECRET_FILE, ownCookieSecrets, readCookieSecrets } from './cookie-secret.ts';
import {
  type GoodProtection,
  KEPT_PROTECTION_FILE,
  keepProtection,
  keptProtection,
} from './kept-protection.ts';

interface ProtectionPlace {
  /** Undefined for the defaults. */
  readonly protectionFile: string | undefined;
  readonly dataDirectory: string;
}

/** What a node starts with. */
export interface FirstProtection {
  readonly protection: ProtectionMessage;
  /** What is wrong with the file, in whose place stands what it said when it was right. */
  readonly problems: readonly Problem[];
}

/**
 * Where a node's protection comes from: its file, read again whenever it is told to, and what outlives the file, the
 * cookie secret and the table of the rate limit. What the file said when it was right is kept in the data directory,
 * so that a node that starts again after a bad push protects itself as before.
 */
export class ProtectionSource {
  readonly #place: ProtectionPlace;
  readonly #onOwnSecret: (problems: readonly Problem[]) => void;
  readonly #limiterKey = new Uint8Array(randomBytes(LIMITER_KEY_OCTETS));
  #limiterTable: SharedArrayBuffer | undefined;
  #lastGood: GoodProtection | undefined;

  /** `onOwnSecret` hears what is wrong with the node's own cookie secret, in whose place another one is in use. */
  constructor(place: ProtectionPlace, onOwnSecret: (problems: readonly Problem[]) => void) {
    this.#place = place;
    this.#onOwnSecret = onOwnSecret;
  }

  async read(): Promise<Parsed<ProtectionMessage>> {
    const settings = await this.#settings();
    if (!settings.ok) return settings;
    const { enabled, secretFile } = settings.value.cookies;
    const secrets = enabled ? await this.#secrets(secretFile) : parsed([]);
    if (!secrets.ok) return secrets;
    this.#lastGood = { settings: settings.value, cookieSecrets: secrets.value };
    return parsed(this.#compile(this.#lastGood));
  }

  /** Reads, and takes what was kept where the file has mistakes; those alone when nothing was. */
  async readFirst(): Promise<Parsed<FirstProtection>> {
    const read = await this.read();
    if (read.ok) return parsed({ protection: read.value, problems: [] });
    const kept = await keptProtection(this.#keptPath());
    if (kept === undefined) return read;
    return parsed({ protection: this.#compile(kept), problems: read.problems });
  }

  /** Keeps what was read last without a mistake, for the next start. Rejects when the disk does not take it. */
  async keep(): Promise<void> {
    // Without a file there is nothing that could be wrong.
    if (this.#lastGood === undefined || this.#place.protectionFile === undefined) return;
    await keepProtection(this.#keptPath(), this.#lastGood);
  }

  #keptPath(): string {
    return join(this.#place.dataDirectory, KEPT_PROTECTION_FILE);
  }

  #compile({ settings, cookieSecrets }: GoodProtection): ProtectionMessage {
    return compileProtection(settings, {
      cookieSecrets,
      limiterKey: this.#limiterKey,
      limiterTable: () => this.#table(),
    });
  }

  async #settings(): Promise<Parsed<ProtectionSettings>> {
    const { protectionFile } = this.#place;
    if (protectionFile === undefined) return parsed(defaultProtection);
    // Brings libraries along, for which a node without such a file need not wait.
    const { readProtectionFile } = await import('./protection-file.ts');
    return readProtectionFile(protectionFile);
  }

  async #secrets(file: string | undefined): Promise<Parsed<readonly Uint8Array[]>> {
    const { protectionFile, dataDirectory } = this.#place;
    if (file !== undefined) return readCookieSecrets(resolve(dirname(protectionFile ?? '.'), file));
    // All nodes of a cluster know the cookies that one of them has made: a resolver's next query may reach another.
    const clusterKey = await readClusterKey(dataDirectory);
    if (clusterKey !== undefined) return parsed([deriveSecret(clusterKey, 'cookies')]);
    const own = await ownCookieSecrets(join(dataDirectory, COOKIE_SECRET_FILE));
    if (!own.ok) return own;
    if (own.value.problems.length > 0) this.#onOwnSecret(own.value.problems);
    return parsed(own.value.secrets);
  }

  #table(): SharedArrayBuffer {
    this.#limiterTable ??= createLimiterTable();
    return this.#limiterTable;
  }
}
