import { emptyConfig } from '../config/apply-changes.ts';
import { isAboutAbsence } from '../config/check.ts';
import type { Contract } from '../config/contract.ts';
import {
  checkDirectory,
  type DirectoryContents,
  type DirectoryResource,
  type DirectoryZone,
} from '../config/directory-changes.ts';
import type { Config } from '../config/model.ts';
import type { Problem, SourceLine } from '../config/problem.ts';
import { resourcePath } from '../config/resource-path.ts';
import { findConfigFiles, MAX_YAML_FILE_OCTETS, readConfigFile } from './config-files.ts';
import { readYaml } from './yaml-file.ts';
import { readZoneFile, type ZoneFileContents, type ZoneFileReader } from './zone-files.ts';

/** A whole directory without a mistake, or all mistakes, each with its file and line where it has one. */
export type DirectoryReading =
  | (DirectoryContents & { readonly ok: true })
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Reads a configuration directory: YAML files and zone files. Changes nothing.
 * All mistakes are told at once: of syntax, of every resource's own shape, and of what the directory and the rest
 * of `config` would be together. Never rejects: what cannot be read is a problem as well, if `readZone` keeps to that.
 */
export async function readDirectory(
  directory: string,
  contract: Contract,
  config: Config = emptyConfig(),
  readZone: ZoneFileReader = readZoneFile,
): Promise<DirectoryReading> {
  const files = await findConfigFiles(directory);
  if (!files.ok) return files;
  const collected = new Collected();
  for (const file of files.value.yaml) {
    const text = await readConfigFile(directory, file, MAX_YAML_FILE_OCTETS);
    if (!text.ok) collected.addUnreadable(text.problems);
    else collected.addYaml(readYaml(file, text.value, contract));
  }
  for (const file of files.value.zones) collected.addZone(await readZone(directory, file));
  return collected.finish(config);
}

class Collected {
  readonly problems: Problem[] = [];
  readonly #resources = new Map<string, DirectoryResource>();
  readonly #zones = new Map<string, DirectoryZone>();
  readonly #broken = new Set<string>();
  readonly #lines = new Map<string, SourceLine>();
  /** A file could not be read at all, so nobody knows which resources it has. */
  #sawUnreadable = false;

  addUnreadable(problems: readonly Problem[]): void {
    this.problems.push(...problems);
    this.#sawUnreadable = true;
  }

  addYaml({ resources, broken, lines, problems, isWhole }: ReturnType<typeof readYaml>): void {
    this.problems.push(...problems);
    if (!isWhole) this.#sawUnreadable = true;
    for (const path of broken) this.#broken.add(path);
    for (const resource of resources) {
      const path = resourcePath(resource.collection, resource.key);
      const twin = this.#resources.get(path);
      if (twin === undefined) this.#resources.set(path, resource);
      else this.#refuseTwin(path, resource, twin);
    }
    for (const [path, line] of lines) if (!this.#lines.has(path)) this.#lines.set(path, line);
  }

  addZone({ zone, apex, problems }: ZoneFileContents): void {
    this.problems.push(...problems);
    if (zone === undefined) {
      if (apex !== undefined) this.#broken.add(resourcePath('zones', apex));
      return;
    }
    const path = resourcePath('zones', zone.apex);
    const twin = this.#zones.get(zone.apex);
    if (twin === undefined) this.#zones.set(zone.apex, zone);
    else this.#refuseTwin(path, zone, twin);
    this.#lines.set(path, { file: twin?.file ?? zone.file, line: twin?.line ?? zone.line });
  }

  finish(config: Config): DirectoryReading {
    const contents = {
      resources: [...this.#resources.values()],
      zones: [...this.#zones.values()],
      lines: this.#lines,
    };
    const cross = checkDirectory(config, contents, this.#broken);
    // What an unreadable file has would be missed everywhere else; the one mistake there is told already.
    const certain = this.#sawUnreadable ? cross.filter(({ code }) => !isAboutAbsence(code)) : cross;
    const problems = [...this.problems, ...certain];
    return problems.length > 0 ? { ok: false, problems } : { ok: true, ...contents };
  }

  #refuseTwin(path: string, second: SourceLine, first: SourceLine): void {
    this.problems.push({
      code: 'duplicate-resource',
      path,
      message: `${path} stands at ${first.file} line ${first.line} already; keep one of them.`,
      source: { file: second.file, line: second.line },
    });
  }
}
