import type { Config, Stored } from '../../config/model.ts';
import { type Problem, reasonOf } from '../../config/problem.ts';
import type { Zone } from '../../config/resources/zone.ts';
import { changedOwners, MAX_PLAIN_RRSETS, type RRsets } from '../../config/rrset-map.ts';
import { lowercaseName, parseName } from '../../dns/name.ts';
import { ZoneEditor } from '../../snapshot/edit-zone.ts';
import type { ZoneRoom } from '../../snapshot/encoded-zone.ts';
import type { BootedImages } from '../boot/booted-images.ts';
import { TEXT_NEEDED, type ZoneCompilation, type ZoneJob } from '../compile/compile-job.ts';
import { compileZoneJob } from '../compile/compile-zone-job.ts';
import type { Compiler } from '../compile/compiler.ts';
import { countImage } from '../compile/count-image.ts';
import { allocateImage } from '../compile/image-memory.ts';
import { zoneOrigin } from './zone-origin.ts';
import { ownerEdits, prepareColumns } from './zone-records.ts';
import { missingBlob, type ZoneContext, zoneJobs } from './zone-sources.ts';

/** A job that fails is a bug; the old image goes on serving. */
const COMPILE_FAILED = 'compile-failed';

export interface ZoneImagesParts {
  readonly compiler: Pick<Compiler, 'run'>;
  /** Text of a zone's blob in UTF-8, damaged or not; undefined when this node has none of that hash. */
  readonly blobText: (hash: string) => Uint8Array | undefined;
  readonly hasBlob: (hash: string) => boolean;
  /** The zone of a blob without steered names, where it is compiled already. */
  readonly compiledFile: (blob: string) => ZoneCompilation | undefined;
  readonly booted: BootedImages;
}

/** Numbers that the configuration does not hold, see `ZoneContext`. */
export type ZoneNumbers = Pick<ZoneContext, 'slotOf' | 'dataCenterIndex' | 'mapFor'>;

/** A zone that is edited, as its image is. */
interface EditedImage {
  readonly editor: ZoneEditor;
  readonly zone: Stored<Zone>;
  readonly rrsets: RRsets;
}

const NO_RRSETS: RRsets = new Map();

/**
 * Each edit leaves an image of 10 MB behind. If all of them are counted, the collector searches all of the heap every
 * second write, which takes more than the writes. One in four: at most a few hundred megabytes wait to be collected.
 */
const EDITS_PER_COUNT = 4;

/**
 * The image of each zone, made anew when something of it changed:
 *
 *     RRsets of a large zone        edited into a copy of the image, here and now
 *     a small zone                  compiled here and now
 *     a large zone, a zone file     compiled on the compile thread, or found compiled
 */
export class ZoneImages {
  readonly #parts: ZoneImagesParts;
  readonly #images = new Map<string, SharedArrayBuffer>();
  readonly #problems = new Map<string, readonly Problem[]>();
  readonly #edited = new Map<string, EditedImage>();
  /** Blobs that zones waited for when they were last compiled, by apex: a peer still sends them. */
  readonly #awaited = new Map<string, string>();
  #edits = 0;

  constructor(parts: ZoneImagesParts) {
    this.#parts = parts;
  }

  /** All images, in the order in which the zones came. */
  all(): readonly SharedArrayBuffer[] {
    return [...this.#images.values()];
  }

  /** Undefined for a zone that has none: it is not there, or could never be compiled. */
  imageOf(apex: string): SharedArrayBuffer | undefined {
    return this.#images.get(apex);
  }

  problems(): readonly Problem[] {
    return [...this.#problems.values()].flat();
  }

  /** Forgets a zone that the configuration has no longer, its problems too. */
  drop(apex: string): void {
    this.#images.delete(apex);
    this.#problems.delete(apex);
    this.#edited.delete(apex);
    this.#awaited.delete(apex);
  }

  /** Apexes of zones that lacked their blob, which is here by now. */
  withArrivedBlob(): readonly string[] {
    return [...this.#awaited].flatMap(([apex, blob]) => (this.#parts.hasBlob(blob) ? [apex] : []));
  }

  /** Follows a change of nothing but the zone's RRsets. */
  async edit(config: Config, apex: string, numbers: ZoneNumbers): Promise<void> {
    if (!this.#editInPlace(config, apex)) await this.compile(config, apex, numbers);
  }

  /**
   * Makes the zone's image anew. Resolves when it is there, or has failed: that is a problem, and the old image stays.
   * Never rejects for what stands in the zone.
   */
  async compile(config: Config, apex: string, numbers: ZoneNumbers): Promise<void> {
    this.#edited.delete(apex);
    const zone = config.zones.get(apex);
    this.#awaited.delete(apex);
    if (zone?.value.kind === 'blob' && !this.#parts.hasBlob(zone.value.blob))
      this.#awaited.set(apex, zone.value.blob);
    const rrsets = config.rrsets.get(apex) ?? NO_RRSETS;
    if (rrsets.size > MAX_PLAIN_RRSETS) await prepareColumns(apex, rrsets);
    const context = {
      ...numbers,
      hasBlob: this.#parts.hasBlob,
      serialOf: (name: string) => serialOf(config, name),
    };
    const { jobs, problems } = zoneJobs(config, context, [apex]);
    const found = [...problems];
    for (const job of jobs) {
      const { image, problems: told, room } = await this.#run(job);
      found.push(...told);
      if (image === undefined) continue;
      countImage(image);
      this.#images.set(apex, image);
      if (zone !== undefined && room !== undefined && found.length === 0) {
        this.#editFromNow(apex, zone, rrsets, image, room);
      }
    }
    this.#problems.set(apex, found);
    if (zone?.value.kind === 'blob' && !this.#images.has(apex)) this.#keepBooted(apex);
  }

  /** A peer's zone file whose text has not come yet must not empty the zone, not even over a start. */
  #keepBooted(apex: string): void {
    const wire = parseName(apex);
    const image = wire.ok ? this.#parts.booted.lastOf(lowercaseName(wire.value)) : undefined;
    if (image !== undefined) this.#images.set(apex, image);
  }

  #editFromNow(
    apex: string,
    zone: Stored<Zone>,
    rrsets: RRsets,
    image: SharedArrayBuffer,
    room: ZoneRoom,
  ): void {
    const wire = parseName(apex);
    if (!wire.ok) return;
    const editor = new ZoneEditor(lowercaseName(wire.value), image, room);
    this.#edited.set(apex, { editor, zone, rrsets });
  }

  /** Whether the image could be edited. */
  #editInPlace(config: Config, apex: string): boolean {
    const edited = this.#edited.get(apex);
    const zone = config.zones.get(apex);
    if (edited === undefined || zone !== edited.zone || zone.value.kind !== 'rrsets') return false;
    const rrsets = config.rrsets.get(apex) ?? NO_RRSETS;
    const owners = changedOwners(edited.rrsets, rrsets);
    if (owners === undefined) return false;
    const serial = serialOf(config, apex);
    const edits = ownerEdits({ apex, zone: zone.value, rrsets, serial }, owners);
    const image = edits === undefined ? undefined : edited.editor.edit(edits, serial);
    if (image === undefined) return false;
    if (this.#edits++ % EDITS_PER_COUNT === 0) countImage(image);
    this.#images.set(apex, image);
    void this.#copyAhead(edited.editor);
    this.#edited.set(apex, { ...edited, rrsets });
    return true;
  }

  /** Copies the image for the next edit on the compile thread: that is most of what an edit takes. */
  async #copyAhead(editor: ZoneEditor): Promise<void> {
    const from = editor.image;
    const to = allocateImage(from.byteLength);
    try {
      await this.#parts.compiler.run<'copy'>({ kind: 'copy', from, to });
      editor.takeCopy(from, to);
    } catch {
      // The thread is closing; the next edit copies by itself.
    }
  }

  async #run(job: ZoneJob): Promise<ZoneCompilation> {
    const { records } = job;
    try {
      const compiled =
        records.kind === 'blob'
          ? await this.#runFile(job, records.blob)
          : // A few records compile in less time than it takes to copy them to another thread.
            records.room === 'none'
            ? compileZoneJob(job)
            : await this.#runOnThread(job);
      if (compiled !== TEXT_NEEDED) return compiled;
      throw new Error('the text of a zone was asked for twice');
    } catch (error) {
      return { image: undefined, problems: [compileFailed(`zones/${job.apex}`, error)], room: undefined };
    }
  }

  async #runFile(job: ZoneJob, blob: string): Promise<ZoneCompilation | typeof TEXT_NEEDED> {
    const { apex, steeredNames } = job;
    const known = steeredNames.length === 0 ? this.#parts.compiledFile(blob) : undefined;
    if (known !== undefined) return known;
    const booted = this.#parts.booted.find(zoneOrigin(apex, blob, steeredNames));
    if (booted !== undefined) return { image: booted, problems: [], room: undefined };
    const compiled = await this.#runOnThread(job);
    if (compiled !== TEXT_NEEDED) return compiled;
    const text = this.#parts.blobText(blob);
    if (text === undefined) return { image: undefined, problems: [missingBlob(apex, blob)], room: undefined };
    return this.#runOnThread({ ...job, records: { kind: 'blob', blob, text } });
  }

  #runOnThread(zone: ZoneJob): Promise<ZoneCompilation | typeof TEXT_NEEDED> {
    return this.#parts.compiler.run<'zone'>({ kind: 'zone', zone });
  }
}

/** Its lowest 32 bits: what it grows by at once is far below half of them (RFC 1982, 3.2). */
function serialOf({ zoneSerials }: Config, apex: string): number {
  return (zoneSerials.get(apex) ?? 0) >>> 0;
}

/** The problem of a job that failed. */
export function compileFailed(path: string, error: unknown): Problem {
  const why = reasonOf(error);
  const message = `It could not be compiled, so what was there before goes on serving. This is a bug: ${why}`;
  return { code: COMPILE_FAILED, path, message };
}
