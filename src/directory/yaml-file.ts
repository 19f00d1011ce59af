import {
  type Document,
  isAlias,
  isMap,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import { type Contract, parseBody } from '../config/contract.ts';
import { didYouMean } from '../config/did-you-mean.ts';
import { type DirectoryResource, type FileCollection, withLine } from '../config/directory-changes.ts';
import { type Problem, reasonOf, type SourceLine } from '../config/problem.ts';
import { resourcePath } from '../config/resource-path.ts';

/** A few anchors save typing; thousands of aliases are an attack on memory. */
const MAX_ALIASES = 1000;

/** Top-level keys of a YAML file, each a list of resources. */
export const fileCollections: readonly FileCollection[] = [
  'dataCenters',
  'pools',
  'monitors',
  'policies',
  'steeredNames',
  'overrides',
  'maintenanceWindows',
  'alertChannels',
];

/** What one YAML file has; with problems, `resources` are those that are right all the same. */
export interface YamlContents {
  readonly resources: DirectoryResource[];
  /** Paths of resources that are there but did not parse. */
  readonly broken: Set<string>;
  readonly lines: Map<string, SourceLine>;
  readonly problems: Problem[];
  /** False where the file could not be read to its end, so that what it has is not known. */
  isWhole: boolean;
}

/** Reads one YAML file; every mistake is told with its line, and what is right beside it is still read. */
export function readYaml(file: string, text: string, contract: Contract): YamlContents {
  return new YamlReader(file, contract).read(text);
}

class YamlReader {
  readonly #file: string;
  readonly #contract: Contract;
  readonly #counter = new LineCounter();
  readonly #contents: YamlContents = {
    resources: [],
    broken: new Set(),
    lines: new Map(),
    problems: [],
    isWhole: true,
  };

  constructor(file: string, contract: Contract) {
    this.#file = file;
    this.#contract = contract;
  }

  read(text: string): YamlContents {
    const document = parseDocument(text, {
      lineCounter: this.#counter,
      prettyErrors: false,
      stringKeys: true,
      merge: true,
      logLevel: 'silent',
    });
    for (const { message, pos } of [...document.errors, ...document.warnings]) {
      this.#refuse('bad-yaml', '', sentenceOf(message), pos[0]);
    }
    if (document.errors.length === 0) this.#readTop(document);
    else this.#contents.isWhole = false;
    return this.#contents;
  }

  #readTop(document: Document.Parsed): void {
    const { contents } = document;
    // An empty file, or one with nothing but comments.
    if (contents === null || (isScalar(contents) && contents.value === null)) return;
    if (!isMap(contents)) {
      const known = fileCollections.join(', ');
      this.#refuse(
        'bad-yaml',
        '',
        `The file must have top-level keys, some of ${known}.`,
        offsetOf(contents),
      );
      return;
    }
    const values = this.#valuesOf(document);
    if (values === undefined) return;
    for (const pair of contents.items) {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const collection = fileCollections.find((known) => known === key);
      if (collection === undefined) this.#refuseKey(key, offsetOf(pair.key));
      else
        this.#readCollection(collection, values[key], pair.value ?? undefined, document, offsetOf(pair.key));
    }
  }

  /** Plain values, with aliases in their places; undefined where they are too many. */
  #valuesOf(document: Document.Parsed): Readonly<Record<string, unknown>> | undefined {
    try {
      return document.toJS({ maxAliasCount: MAX_ALIASES });
    } catch (error) {
      const message = reasonOf(error);
      this.#refuse('bad-yaml', '', sentenceOf(message), 0);
      this.#contents.isWhole = false;
      return undefined;
    }
  }

  #refuseKey(key: string, offset: number): void {
    const message =
      key === 'zones'
        ? 'Zones come from zone files: put one at zones/<name>.zone for each zone.'
        : `"${key}" is not a top-level key; known are ${fileCollections.join(', ')}.${didYouMean(key, fileCollections)}`;
    this.#refuse('unknown-key', key, message, offset);
    // It is likely to hold what the other files refer to.
    this.#contents.isWhole = false;
  }

  #readCollection(
    collection: FileCollection,
    values: unknown,
    node: Node | undefined,
    document: Document.Parsed,
    offset: number,
  ): void {
    if (values === null || values === undefined) return;
    const list = resolved(node, document);
    if (!Array.isArray(values) || !isSeq(list)) {
      this.#contents.isWhole = false;
      const id = idField(collection);
      this.#refuse(
        'invalid-value',
        collection,
        `"${collection}" must be a list, each item with its ${id}.`,
        offset,
      );
      return;
    }
    for (const [i, value] of values.entries()) {
      const item = list.items[i];
      this.#readResource(collection, i, value, item as Node | undefined, document, offset);
    }
  }

  #readResource(
    collection: FileCollection,
    position: number,
    value: unknown,
    node: Node | undefined,
    document: Document.Parsed,
    parentOffset: number,
  ): void {
    const offset = node === undefined ? parentOffset : offsetOf(node);
    const name = nameOf(value, idField(collection));
    const path = resourcePath(collection, name ?? String(position));
    this.#mark(path, offset);
    this.#markWithin(path, resolved(node, document));
    const outcome = this.#parse(collection, value, path, this.#lineAt(offset));
    if (outcome.ok) {
      const key = outcome.resource.key;
      // Problems that are found later use the canonical name.
      if (key !== name)
        this.#markAgain(path, resourcePath(collection, key), offset, resolved(node, document));
      this.#contents.resources.push(outcome.resource);
      return;
    }
    this.#contents.broken.add(path);
    if (name !== undefined) this.#contents.broken.add(resourcePath(collection, canonical(collection, name)));
    for (const problem of outcome.problems)
      this.#contents.problems.push(withLine(problem, this.#contents.lines));
  }

  #parse(
    collection: FileCollection,
    value: unknown,
    path: string,
    line: number,
  ):
    | { readonly ok: true; readonly resource: DirectoryResource }
    | { readonly ok: false; readonly problems: readonly Problem[] } {
    const body = parseBody<{ readonly name: string } | { readonly id: string }>(
      this.#contract.schemas[collection],
      value,
      path,
    );
    if (!body.ok) return body;
    const key = 'id' in body.value ? body.value.id : body.value.name;
    // The schema of the collection has made the value, so it is of the collection's type.
    const resource = { collection, key, value: body.value, file: this.#file, line } as DirectoryResource;
    return { ok: true, resource };
  }

  #markAgain(from: string, to: string, offset: number, node: Node | undefined): void {
    if (from === to) return;
    this.#mark(to, offset);
    this.#markWithin(to, node);
  }

  /** Notes the line of every field below a path; aliased parts count as where the alias stands. */
  #markWithin(path: string, node: unknown): void {
    if (isMap(node)) {
      for (const pair of node.items) {
        const key = `${path}/${String(isScalar(pair.key) ? pair.key.value : pair.key)}`;
        this.#mark(key, offsetOf(pair.key));
        this.#markWithin(key, pair.value);
      }
    } else if (isSeq(node)) {
      for (const [i, item] of node.items.entries()) {
        const name = isMap(item) ? item.get('name') : undefined;
        const element = `${path}/${typeof name === 'string' ? name : i}`;
        this.#mark(element, offsetOf(item));
        this.#markWithin(element, item);
      }
    }
  }

  #mark(path: string, offset: number): void {
    if (this.#contents.lines.has(path)) return;
    this.#contents.lines.set(path, { file: this.#file, line: this.#lineAt(offset) });
  }

  #lineAt(offset: number): number {
    return Math.max(1, this.#counter.linePos(offset).line);
  }

  #refuse(code: string, path: string, message: string, offset: number): void {
    const source = { file: this.#file, line: this.#lineAt(offset) };
    this.#contents.problems.push({ code, path: path === '' ? this.#file : path, message, source });
  }
}

/** The field that names a resource of a collection. */
function idField(collection: FileCollection): 'id' | 'name' {
  return collection === 'overrides' ? 'id' : 'name';
}

function nameOf(value: unknown, field: 'id' | 'name'): string | undefined {
  if (typeof value !== 'object' || value === null || !(field in value)) return undefined;
  const name: unknown = (value as Readonly<Record<string, unknown>>)[field];
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** As near as a name that did not parse comes to the one that others refer to. */
function canonical(collection: FileCollection, name: string): string {
  if (collection !== 'steeredNames') return name;
  return (name.endsWith('.') ? name : `${name}.`).toLowerCase();
}

function resolved(node: Node | undefined, document: Document.Parsed): Node | undefined {
  return isAlias(node) ? node.resolve(document) : node;
}

function offsetOf(node: unknown): number {
  if (isPair(node)) return offsetOf(node.key);
  if (typeof node !== 'object' || node === null || !('range' in node)) return 0;
  return Array.isArray(node.range) && typeof node.range[0] === 'number' ? node.range[0] : 0;
}

function sentenceOf(message: string): string {
  const [first = ''] = message.split('\n');
  return `${first.replace(/[:.]$/, '')}.`;
}
