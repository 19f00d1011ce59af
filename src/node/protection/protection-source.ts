import { randomBytes } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { type Parsed, parsed } from '../../config/problem.ts';
import type { ProtectionMessage } from '../../protection/protection.ts';
import { createLimiterTable, LIMITER_KEY_OCTETS } from '../../protection/rate-limit.ts';
import { compileProtection, defaultProtection, type ProtectionSettings } from '../../protection/settings.ts';
import { COOKIE_SECRET_FILE, ownCookieSecrets, readCookieSecrets } from './cookie-secret.ts';

interface ProtectionPlace {
  /** Undefined for the defaults. */
  readonly protectionFile: string | undefined;
  readonly dataDirectory: string;
}

/**
 * Where a node's protection comes from: its file, read again whenever it is told to, and what outlives the file, the
 * cookie secret and the table of the rate limit.
 */
export class ProtectionSource {
  readonly #place: ProtectionPlace;
  readonly #limiterKey = new Uint8Array(randomBytes(LIMITER_KEY_OCTETS));
  #limiterTable: SharedArrayBuffer | undefined;

  constructor(place: ProtectionPlace) {
    this.#place = place;
  }

  async read(): Promise<Parsed<ProtectionMessage>> {
    const settings = await this.#settings();
    if (!settings.ok) return settings;
    const { enabled, secretFile } = settings.value.cookies;
    const secrets = enabled ? await this.#secrets(secretFile) : parsed([]);
    if (!secrets.ok) return secrets;
    return parsed(
      compileProtection(settings.value, {
        cookieSecrets: secrets.value,
        limiterKey: this.#limiterKey,
        limiterTable: () => this.#table(),
      }),
    );
  }

  async #settings(): Promise<Parsed<ProtectionSettings>> {
    const { protectionFile } = this.#place;
    if (protectionFile === undefined) return parsed(defaultProtection);
    // Brings libraries along, for which a node without such a file need not wait.
    const { readProtectionFile } = await import('./protection-file.ts');
    return readProtectionFile(protectionFile);
  }

  #secrets(file: string | undefined): Promise<Parsed<readonly Uint8Array[]>> {
    const { protectionFile, dataDirectory } = this.#place;
    if (file === undefined) return ownCookieSecrets(join(dataDirectory, COOKIE_SECRET_FILE));
    return readCookieSecrets(resolve(dirname(protectionFile ?? '.'), file));
  }

  #table(): SharedArrayBuffer {
    this.#limiterTable ??= createLimiterTable();
    return this.#limiterTable;
  }
}
