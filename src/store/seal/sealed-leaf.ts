import type { MapName } from '../document.ts';
import { isSealed, type Sealer, sealKeyIdOf } from './sealer.ts';

/** The fields of a resource that are secrets. Most webhooks' addresses are: whoever knows one may post to it. */
const secretFields: Partial<Record<MapName, readonly string[]>> = {
  alertChannels: ['url', 'secret', 'routingKey'],
};

/** The leaf with its secrets in clear; what cannot be opened stays sealed, and what never was sealed stays as it is. */
export function openLeaf(sealer: Sealer, map: MapName, key: string, text: string): string {
  return withSecrets(map, text, (secret, field) =>
    isSealed(secret) ? (sealer.open(secret, `${map}/${key}/${field}`) ?? secret) : secret,
  );
}

/**
 * The leaf with its secrets sealed. A secret that `before` has already keeps its sealed form: sealed anew, it would look
 * different.
 */
export function sealLeaf(
  sealer: Sealer,
  at: { readonly map: MapName; readonly key: string; readonly before: string | undefined },
  text: string,
): string {
  const { map, key, before } = at;
  return withSecrets(map, text, (secret, field) => {
    if (isSealed(secret)) return secret;
    const place = `${map}/${key}/${field}`;
    const known = before === undefined ? undefined : fieldOf(before, field);
    const stays = known !== undefined && isSealed(known) && sealer.open(known, place) === secret;
    return stays ? known : sealer.seal(secret, place);
  });
}

/** The ids of the keys that a resource, read from an opened leaf, would need to be whole; none for most. */
export function missingSealKeys(map: MapName, value: unknown): readonly string[] {
  return (secretFields[map] ?? []).flatMap((field) => {
    const secret = textIn(value, field);
    return secret !== undefined && isSealed(secret) ? [sealKeyIdOf(secret)] : [];
  });
}

function withSecrets(map: MapName, text: string, change: (secret: string, field: string) => string): string {
  const fields = secretFields[map];
  if (fields === undefined) return text;
  const leaf = parseObject(text);
  const value = leaf?.value;
  if (leaf === undefined || typeof value !== 'object' || value === null) return text;
  const changed: Record<string, unknown> = { ...value };
  for (const field of fields) {
    const secret = textIn(value, field);
    if (secret !== undefined) changed[field] = change(secret, field);
  }
  return JSON.stringify({ ...leaf, value: changed });
}

function fieldOf(text: string, field: string): string | undefined {
  return textIn(parseObject(text)?.value, field);
}

function textIn(value: unknown, field: string): string | undefined {
  const found =
    typeof value === 'object' && value !== null
      ? Object.entries(value).find(([name]) => name === field)
      : undefined;
  return typeof found?.[1] === 'string' ? found[1] : undefined;
}

function parseObject(text: string): { readonly value?: unknown } | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null ? { ...json } : undefined;
  } catch {
    return undefined;
  }
}
