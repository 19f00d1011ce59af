import { MAX_DATA_CENTERS } from '../answer/decision.ts';
import type { Config } from '../config/model.ts';
import type { Problem } from '../config/problem.ts';
import { endpointKey } from '../config/resources/pool.ts';
import type { SnapshotMessage } from '../snapshot/snapshot.ts';
import { MAX_ENDPOINT_SLOTS } from '../snapshot/verdict-table.ts';
import type { MapSource } from '../steering/compile-map.ts';
import { changedZones } from './changed-zones.ts';
import type { ZoneJob } from './compile-job.ts';
import { compileZoneJob } from './compile-zone-job.ts';
import type { Compiler } from './compiler.ts';
import { mapSources } from './map-sources.ts';
import { Numbering } from './numbering.ts';
import { zoneJobs } from './zone-sources.ts';

/** Each distinct pair of policy and data centers is a map; a map of 50 data centers takes tens of megabytes. */
export const MAX_MAPS = 1000;

/** A zone of 100,000 RRsets may take a second; a job that fails is a bug, and the old image goes on serving. */
const COMPILE_FAILED = 'compile-failed';

interface PublisherOptions {
  readonly compiler: Compiler;
  readonly blobText: (hash: string) => string | undefined;
  readonly verdicts: Uint8Array<SharedArrayBuffer>;
  /** RFC 5001 name server identifier. */
  readonly serverId: Uint8Array;
}

/**
 * Turns a configuration and a geo table into the snapshot that DNS workers read, compiling only what changed.
 *
 *     config --> numbers (data centers, slots, maps) --> maps --> zones --> SnapshotMessage
 *
 * Calls of `build` must not overlap, and each snapshot must be in use everywhere before the next is built: numbers
 * that one build lets go of are given away again by the one after.
 */
export class Publisher {
  readonly #options: PublisherOptions;
  readonly #dataCenters = new Numbering(MAX_DATA_CENTERS);
  readonly #slots = new Numbering(MAX_ENDPOINT_SLOTS);
  readonly #mapNumbers = new Numbering(MAX_MAPS);
  #config: Config | undefined;
  #geoTable: SharedArrayBuffer | undefined;
  #maps = new Map<string, SharedArrayBuffer>();
  #images = new Map<string, SharedArrayBuffer>();
  #zoneProblems = new Map<string, readonly Problem[]>();
  #otherProblems: readonly Problem[] = [];
  #published = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
  }

  /** Compiles what differs from the last build. Never rejects for a bad configuration: see `problems`. */
  async build(config: Config, geoTable: SharedArrayBuffer): Promise<SnapshotMessage> {
    const problems: Problem[] = [...this.#assignNumbers(config)];
    const sources = mapSources(config, (name) => this.#dataCenters.numberOf(name));
    problems.push(...(await this.#compileMaps(sources.byKey, geoTable)));
    const { compile, drop } = changedZones(this.#config, config);
    for (const apex of drop) {
      this.#images.delete(apex);
      this.#zoneProblems.delete(apex);
    }
    for (const apex of compile) await this.#compileZone(config, apex, sources.keyOf);
    this.#config = config;
    this.#geoTable = geoTable;
    this.#otherProblems = problems;
    return {
      generation: ++this.#published,
      zones: [...this.#images.values()],
      maps: this.#mapsByNumber(),
      verdicts: this.#options.verdicts,
      serverId: this.#options.serverId,
    };
  }

  /** What the last build left out, and why. */
  problems(): readonly Problem[] {
    return [...this.#otherProblems, ...[...this.#zoneProblems.values()].flat()];
  }

  /** Verdict slot of `pool/endpoint`; -1 where there was none left. */
  slotOf(key: string): number {
    return this.#slots.numberOf(key) ?? -1;
  }

  dataCenterName(number: number): string | undefined {
    return this.#dataCenters.nameOf(number);
  }

  endpointName(slot: number): string | undefined {
    return this.#slots.nameOf(slot);
  }

  #assignNumbers(config: Config): readonly Problem[] {
    const endpoints = [...config.pools.values()].flatMap(({ value: pool }) =>
      pool.endpoints.map((endpoint) => endpointKey(pool.name, endpoint.name)),
    );
    return [
      ...this.#dataCenters
        // Sorted, so that each start gives the same numbers and finds the maps of the one before on disk.
        .assign([...config.dataCenters.keys()].sort())
        .map((name) => overLimit(`dataCenters/${name}`, `${MAX_DATA_CENTERS} data centers`)),
      ...this.#slots
        .assign(endpoints)
        .map((key) =>
          overLimit(`pools/${key.replace('/', '/endpoints/')}`, `${MAX_ENDPOINT_SLOTS} endpoints`),
        ),
    ];
  }

  /** Compiles maps that are new, or all of them when the geo table is. */
  async #compileMaps(
    sources: ReadonlyMap<string, MapSource>,
    geoTable: SharedArrayBuffer,
  ): Promise<readonly Problem[]> {
    const problems = this.#mapNumbers
      .assign(sources.keys())
      .map(() => overLimit('policies', `${MAX_MAPS} maps`));
    const maps = new Map<string, SharedArrayBuffer>();
    for (const [key, source] of sources) {
      const known = geoTable === this.#geoTable ? this.#maps.get(key) : undefined;
      try {
        maps.set(key, known ?? (await this.#options.compiler.run<'map'>({ kind: 'map', source, geoTable })));
      } catch (error) {
        const kept = this.#maps.get(key);
        if (kept !== undefined) maps.set(key, kept);
        problems.push(compileFailed('policies', error));
      }
    }
    this.#maps = maps;
    return problems;
  }

  async #compileZone(
    config: Config,
    apex: string,
    mapKeyOf: (policy: string, dataCenters: readonly string[]) => string | undefined,
  ): Promise<void> {
    const { jobs, problems } = zoneJobs(
      config,
      {
        slotOf: (key) => this.#slots.numberOf(key),
        dataCenterIndex: (name) => this.#dataCenters.numberOf(name),
        mapFor: (policy, dataCenters) => this.#mapFor(mapKeyOf(policy, dataCenters)),
        blobText: this.#options.blobText,
        // Every commit counts the generation up, so the serial never goes back (RFC 1982).
        serialOf: () => config.generation >>> 0,
      },
      [apex],
    );
    const found = [...problems];
    for (const zone of jobs) found.push(...(await this.#runZone(zone)));
    this.#zoneProblems.set(apex, found);
  }

  async #runZone(zone: ZoneJob): Promise<readonly Problem[]> {
    try {
      // Records that the API made compile in less time than it takes to copy them to another thread: a microsecond
      // each, and `MAX_API_RRSETS_PER_ZONE` bounds them. Text may be large and is parsed over there.
      const { image, problems } =
        zone.records.kind === 'rrsets'
          ? compileZoneJob(zone)
          : await this.#options.compiler.run<'zone'>({ kind: 'zone', zone });
      if (image !== undefined) this.#images.set(zone.apex, image);
      return problems;
    } catch (error) {
      return [compileFailed(`zones/${zone.apex}`, error)];
    }
  }

  /** A map's number, but only once it is compiled. */
  #mapFor(key: string | undefined): number | undefined {
    return key === undefined || !this.#maps.has(key) ? undefined : this.#mapNumbers.numberOf(key);
  }

  #mapsByNumber(): readonly (SharedArrayBuffer | undefined)[] {
    const byNumber: (SharedArrayBuffer | undefined)[] = [];
    for (const [key, image] of this.#maps) {
      const number = this.#mapNumbers.numberOf(key);
      if (number !== undefined) byNumber[number] = image;
    }
    // Holes become plain undefined, which every clone keeps.
    return Array.from(byNumber);
  }
}

function overLimit(path: string, limit: string): Problem {
  return { code: 'over-limit', path, message: `A node follows at most ${limit}; this one is left out.` };
}

function compileFailed(path: string, error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  const message = `It could not be compiled, so what was there before goes on serving. This is a bug: ${why}`;
  return { code: COMPILE_FAILED, path, message };
}
