import { createHash } from 'node:crypto';
import type { SteeredSource } from '../../snapshot/zone-source.ts';

/** Counts up with every change of the image's layout, or of the code that makes it. */
const ZONE_FORMAT = 'zone 3';

/** What the image of a zone file is made from, see `image-origin.ts`: equal inputs give equal octets. */
export function zoneOrigin(apex: string, blob: string, steeredNames: readonly SteeredSource[]): Uint8Array {
  const inputs = JSON.stringify([ZONE_FORMAT, apex, blob, steeredNames], (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );
  return createHash('sha256').update(inputs).digest();
}
