import type { DataCenter, Geography } from '../ground/geography.ts';
import type { ServerCommand } from '../ground/processes.ts';
import type { World } from '../ground/zones.ts';

/** What a server is to serve, and where it may write. */
export interface Assignment {
  readonly world: World;
  /** Empty, and its own. */
  readonly directory: string;
  readonly port: number;
  readonly geography: Geography;
  readonly centers: readonly DataCenter[];
}

/** A name server that takes part: how to write its configuration, and how to start it. */
export interface ServerKind {
  readonly name: string;
  /** What it runs, and the Debian packages that bring it; both empty for our own. */
  readonly command: string;
  readonly packages: readonly string[];
  /** Whether its geography is by distance, or by country with the country's nearest data center. */
  readonly geography: 'distance' | 'country' | 'none';
  /** Whether a later start goes from what the first one left on disk. */
  readonly start: 'from-source' | 'from-images';
  readonly prepare: (assignment: Assignment) => Promise<ServerCommand>;
}
