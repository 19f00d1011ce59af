import { mkdir, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { replaceFile } from '../../disk/replace-file.ts';
import { COOKIE_SECRET_OCTETS } from '../../protection/cookies.ts';
import type { ProtectionSettings } from '../../protection/settings.ts';

/** Of a data directory: the protection that was read last without a mistake, cookie secrets and all. */
export const KEPT_PROTECTION_FILE = 'protection.json';

/** What a protection file and its cookie secret said when both were right. */
export interface GoodProtection {
  readonly settings: ProtectionSettings;
  /** Of 16 octets each. */
  readonly cookieSecrets: readonly Uint8Array[];
}

/** Replaces what is kept, for its owner alone. Rejects when the disk does not take it; what was kept then stays. */
export async function keepProtection(
  path: string,
  { settings, cookieSecrets }: GoodProtection,
): Promise<void> {
  const secrets = cookieSecrets.map((octets) => Buffer.from(octets).toString('hex'));
  await mkdir(dirname(path), { recursive: true });
  await replaceFile(path, JSON.stringify({ settings, secrets }), { mode: 0o600, sync: 'wait' });
}

/** What was kept, checked as the file it came from was; undefined where nothing is, or nothing that can be used. */
export async function keptProtection(path: string): Promise<GoodProtection | undefined> {
  let kept: unknown;
  try {
    kept = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined;
  }
  if (typeof kept !== 'object' || kept === null || !('settings' in kept) || !('secrets' in kept))
    return undefined;
  const { parseProtection } = await import('../../config/protection-schema.ts');
  const settings = parseProtection(kept.settings);
  const secrets: readonly unknown[] = Array.isArray(kept.secrets) ? kept.secrets : [];
  const cookieSecrets = secrets.map((text) => Buffer.from(String(text), 'hex'));
  if (!settings.ok || cookieSecrets.some(({ length }) => length !== COOKIE_SECRET_OCTETS)) return undefined;
  if (settings.value.cookies.enabled && cookieSecrets.length === 0) return undefined;
  return { settings: settings.value, cookieSecrets };
}
