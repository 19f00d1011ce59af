import { createHash } from 'node:crypto';
import { Reader } from 'maxmind';
import { type Parsed, parsed, reasonOf, refused } from '../config/problem.ts';
import { findMetadata, type MmdbFile } from '../geo/mmdb.ts';
import type { GeoTableMetadata } from '../geo/table.ts';

export interface OpenedMmdb {
  readonly file: MmdbFile;
  readonly metadata: GeoTableMetadata;
}

/** Opens a MaxMind-format file that was read whole. `path` is for problems. */
export function openMmdb(bytes: Buffer, path: string): Parsed<OpenedMmdb> {
  if (bytes[0] === 0x1f && bytes[1] === 0x8b)
    return refused('geo-file-packed', path, `${path} is gzipped; unpack it with gunzip`);
  // The reader would search for the metadata without bound and take what it finds.
  if (findMetadata(bytes) === -1)
    return refused('geo-file-broken', path, `${path} is cut short or no MaxMind-format file; fetch it again`);
  try {
    const reader = new Reader<never>(bytes);
    const { nodeCount, recordSize, ipVersion, buildEpoch, databaseType } = reader.metadata;
    const digest = createHash('sha256').update(bytes).digest('hex');
    return parsed({
      file: { path, bytes, nodeCount, recordSize, ipVersion },
      metadata: {
        name: databaseType,
        builtAt: buildEpoch.toISOString(),
        ...attributionOf(databaseType),
        digest,
      },
    });
  } catch (error) {
    const reason = reasonOf(error);
    return refused('geo-file-broken', path, `${path} has broken metadata (${reason}); fetch it again`);
  }
}

/** What the makers of known files ask to be shown. */
function attributionOf(databaseType: string): Pick<GeoTableMetadata, 'attribution' | 'attributionUrl'> {
  if (/^Geo(Lite|IP)2-/.test(databaseType))
    return {
      attribution: 'Includes GeoLite data created by MaxMind',
      attributionUrl: 'https://www.maxmind.com',
    };
  if (/^DBIP-/.test(databaseType))
    return { attribution: 'IP Geolocation by DB-IP', attributionUrl: 'https://db-ip.com' };
  return { attribution: '', attributionUrl: '' };
}
