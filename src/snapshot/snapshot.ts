import type { GeoMap } from '../geo/map.ts';
import { openMap } from '../geo/map.ts';
import { openProtection, type Protection, type ProtectionMessage } from '../protection/protection.ts';
import { NO_SPILLS } from '../steering/spill.ts';
import { openZoneDirectory, type ZoneDirectory } from './zone-directory.ts';

/** What the control plane sends to every worker: only shared memory and small values, so it is cheap to post. */
export interface SnapshotMessage {
  readonly generation: number;
  /** One zone image each. */
  readonly zones: readonly SharedArrayBuffer[];
  /** By map number; a hole is a map that no zone uses any more. */
  readonly maps: readonly (SharedArrayBuffer | undefined)[];
  readonly verdicts: Uint8Array<SharedArrayBuffer>;
  /** Without it everybody is kept; see `snapshot/spill-table.ts`. */
  readonly spills?: Uint16Array<SharedArrayBuffer> | undefined;
  /** RFC 5001 name server identifier; empty for none. */
  readonly serverId: Uint8Array;
  /** Without it there is none. */
  readonly protection?: ProtectionMessage | undefined;
}

/** Everything a query reads; taken once at its start and passed down. Immutable but for the verdicts and spills. */
export interface Snapshot {
  readonly generation: number;
  readonly zones: ZoneDirectory;
  readonly maps: readonly (GeoMap | undefined)[];
  readonly verdicts: Uint8Array;
  readonly spills: Uint16Array;
  readonly serverId: Uint8Array;
  readonly protection: Protection;
}

/** Opens a message's images; each thread does this once per publication. */
export function openSnapshot(message: SnapshotMessage): Snapshot {
  return {
    generation: message.generation,
    zones: openZoneDirectory(message.zones),
    maps: message.maps.map((image) => (image === undefined ? undefined : openMap(image))),
    verdicts: message.verdicts,
    spills: message.spills ?? NO_SPILLS,
    serverId: message.serverId,
    protection: openProtection(message.protection),
  };
}
