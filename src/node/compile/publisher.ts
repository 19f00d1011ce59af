import { MAX_DATA_CENTERS } from '../../answer/decision.ts';
import type { Config } from '../../config/model.ts';
import type { Problem } from '../../config/problem.ts';
import { endpointKey } from '../../config/resources/pool.ts';
import type { SnapshotMessage } from '../../snapshot/snapshot.ts';
import { MAX_ENDPOINT_SLOTS } from '../../snapshot/verdict-table.ts';
import { type MeasuredFigures, NOTHING_MEASURED } from '../../steering/measured.ts';
import { changedZones } from '../zones/changed-zones.ts';
import { compileFailed, ZoneImages, type ZoneImagesParts, type ZoneNumbers } from '../zones/zone-images.ts';
import { poolDataCenters } from '../zones/zone-sources.ts';
import type { Compiler } from './compiler.ts';
import { type MapSources, mapSources } from './map-sources.ts';
import { Numbering } from './numbering.ts';

/**
 * Each distinct pair of policy and data centers is a map. Bounds the numbers, and with them what a query looks up; memory
 * ends first where maps are by place, which take up to tens of megabytes each, and most others take a few kilobytes.
 */
export const MAX_MAPS = 1000;

interface KnownSources {
  readonly inputs: readonly unknown[];
  readonly sources: MapSources;
  readonly problems: readonly Problem[];
}

/** What maps are compiled of, besides the configuration. */
export interface MapInputs {
  readonly geoTable: SharedArrayBuffer;
  readonly measured: MeasuredFigures;
}

interface CompiledMaps extends MapInputs {
  /** By key of `MapSources`. */
  readonly maps: ReadonlyMap<string, SharedArrayBuffer>;
}

interface PublisherOptions extends ZoneImagesParts {
  readonly compiler: Compiler;
  readonly verdicts: Uint8Array<SharedArrayBuffer>;
  readonly spills?: Uint16Array<SharedArrayBuffer> | undefined;
  /** RFC 5001 name server identifier. */
  readonly serverId: Uint8Array;
  /** The numbers of the run before: counters and maps on disk then mean the same as they did. */
  readonly remembered: Numbers | undefined;
}

/** Names by number; null for a number that is free. */
export interface Numbers {
  readonly dataCenters: readonly (string | null)[];
  /** Keys of endpoints by their slot in the verdict table. */
  readonly slots: readonly (string | null)[];
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
  #maps = new Map<string, SharedArrayBuffer>();
  /** What the maps in use were compiled of. */
  #inputs: MapInputs | undefined;
  /** Maps of a geo table, or of measurements, not in use yet. */
  #prepared: CompiledMaps | undefined;
  readonly #zones: ZoneImages;
  #sources: KnownSources | undefined;
  #otherProblems: readonly Problem[] = [];
  #published = 0;

  constructor(options: PublisherOptions) {
    this.#options = options;
    this.#zones = new ZoneImages(options);
    this.#dataCenters.recall(options.remembered?.dataCenters ?? []);
    this.#slots.recall(options.remembered?.slots ?? []);
  }

  /**
   * Compiles the maps that a configuration needs of another geo table, or of other measurements, for the `build` that
   * goes over to them. May run while other builds do: writes then need not wait for the maps.
   */
  async prepareMaps(config: Config, { geoTable, measured }: MapInputs): Promise<void> {
    const maps = new Map<string, SharedArrayBuffer>();
    const sources = mapSources(config, (name) => this.#dataCenters.numberOf(name), measured);
    for (const [key, source] of sources.byKey) {
      if (geoTable === this.#inputs?.geoTable && !sources.measuredKeys.has(key)) continue;
      try {
        maps.set(key, await this.#options.compiler.run<'map'>({ kind: 'map', source, geoTable }));
      } catch {
        // The build tries again and tells.
      }
    }
    this.#prepared = { geoTable, measured, maps };
  }

  /** Compiles what differs from the last build. Never rejects for a bad configuration: see `problems`. */
  async build(
    config: Config,
    geoTable: SharedArrayBuffer,
    measured: MeasuredFigures = NOTHING_MEASURED,
  ): Promise<SnapshotMessage> {
    const { sources, problems } = await this.#sourcesOf(config, { geoTable, measured });
    const numbers: ZoneNumbers = {
      slotOf: (key) => this.#slots.numberOf(key),
      dataCenterIndex: (name) => this.#dataCenters.numberOf(name),
      mapFor: (policy, dataCenters) => this.#mapFor(sources.keyOf(policy, dataCenters)),
    };
    const { compile, edit, drop } = changedZones(this.#config, config);
    for (const apex of drop) this.#zones.drop(apex);
    // In one set, since a zone that lacked its blob may have changed besides.
    for (const apex of new Set([...compile, ...this.#zones.withArrivedBlob()]))
      await this.#zones.compile(config, apex, numbers);
    for (const apex of edit) await this.#zones.edit(config, apex, numbers);
    this.#options.booted.clear();
    this.#config = config;
    this.#inputs = { geoTable, measured };
    if (isOf(this.#inputs, this.#prepared)) this.#prepared = undefined;
    this.#otherProblems = problems;
    return {
      generation: ++this.#published,
      zones: this.#zones.all(),
      maps: this.#mapsByNumber(),
      verdicts: this.#options.verdicts,
      spills: this.#options.spills,
      serverId: this.#options.serverId,
    };
  }

  /** How many snapshots were built. */
  get published(): number {
    return this.#published;
  }

  /** What the last build left out, and why. */
  problems(): readonly Problem[] {
    return [...this.#otherProblems, ...this.#zones.problems()];
  }

  /** What is served of a zone; undefined where nothing is. */
  imageOf(apex: string): SharedArrayBuffer | undefined {
    return this.#zones.imageOf(apex);
  }

  numbers(): Numbers {
    return { dataCenters: this.#dataCenters.names(), slots: this.#slots.names() };
  }

  /** Verdict slot of `pool/endpoint`; -1 where there was none left. */
  slotOf(key: string): number {
    return this.#slots.numberOf(key) ?? -1;
  }

  dataCenterNumber(name: string): number | undefined {
    return this.#dataCenters.numberOf(name);
  }

  /** The map by which a steered name ranks; undefined where there is none. */
  mapImageOf(config: Config, steeredName: string): SharedArrayBuffer | undefined {
    const steered = config.steeredNames.get(steeredName)?.value;
    const pool = steered && config.pools.get(steered.pool)?.value;
    if (steered === undefined || pool === undefined) return undefined;
    const key = this.#sources?.sources.keyOf(steered.policy, poolDataCenters(config, pool));
    return key === undefined ? undefined : this.#maps.get(key);
  }

  dataCenterName(number: number): string | undefined {
    return this.#dataCenters.nameOf(number);
  }

  endpointName(slot: number): string | undefined {
    return this.#slots.nameOf(slot);
  }

  /** Numbers, maps and their problems; those of the last build where nothing that they come from has changed. */
  async #sourcesOf(config: Config, mapInputs: MapInputs): Promise<KnownSources> {
    const { dataCenters, pools, policies, steeredNames } = config;
    const inputs = [dataCenters, pools, policies, steeredNames, mapInputs.geoTable, mapInputs.measured];
    const known = this.#sources;
    if (known?.problems.length === 0 && areSame(inputs, known.inputs)) return known;
    const problems: Problem[] = [...this.#assignNumbers(config)];
    const numberOf = (name: string): number | undefined => this.#dataCenters.numberOf(name);
    const sources = mapSources(config, numberOf, mapInputs.measured);
    problems.push(...(await this.#compileMaps(sources, mapInputs)));
    this.#sources = { inputs, sources, problems };
    return this.#sources;
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

  /** Compiles maps that are new, and those whose geo table or measurements are. */
  async #compileMaps(sources: MapSources, inputs: MapInputs): Promise<readonly Problem[]> {
    const { geoTable } = inputs;
    const problems = this.#mapNumbers
      .assign(sources.byKey.keys())
      .map(() => overLimit('policies', `${MAX_MAPS} maps`));
    const maps = new Map<string, SharedArrayBuffer>();
    for (const [key, source] of sources.byKey) {
      const known = this.#knownMap(key, sources, inputs);
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

  /** A map that is compiled already of these inputs, as far as it depends on them. */
  #knownMap(key: string, { measuredKeys }: MapSources, wanted: MapInputs): SharedArrayBuffer | undefined {
    const inUse: CompiledMaps | undefined = this.#inputs && { ...this.#inputs, maps: this.#maps };
    for (const compiled of [inUse, this.#prepared]) {
      if (compiled?.geoTable !== wanted.geoTable) continue;
      if (measuredKeys.has(key) && compiled.measured !== wanted.measured) continue;
      const map = compiled.maps.get(key);
      if (map !== undefined) return map;
    }
    return undefined;
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

/**
 * A function of its own: closures made in `#sourcesOf` would keep what this one looks at, and so each geo table the one
 * before.
 */
function areSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  return one.every((input, index) => input === other[index]);
}

function isOf(inputs: MapInputs, compiled: CompiledMaps | undefined): boolean {
  return compiled?.geoTable === inputs.geoTable && compiled.measured === inputs.measured;
}

function overLimit(path: string, limit: string): Problem {
  return { code: 'over-limit', path, message: `A node follows at most ${limit}; this one is left out.` };
}
