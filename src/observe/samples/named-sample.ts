import { parentName } from '../../config/closest-zone.ts';
import { formatName, lowercaseName, wireNameLength } from '../../dns/name.ts';
import { octetKey } from '../../dns/octet-key.ts';
import { HEADER_LENGTH } from '../../dns/query.ts';
import type { Sample } from './sample.ts';

/** A sample whose names are text. Names are absolute, in canonical presentation form. */
export interface NamedSample {
  readonly sample: Sample;
  /** The name asked for, in lower case; undefined where no question could be read. */
  readonly asked: string | undefined;
  /** The steered name as it is configured, wildcards too, where one had a part; else the name asked for. */
  readonly name: string | undefined;
  /** The data center that was answered; undefined for none. */
  readonly dataCenter: string | undefined;
}

/** What the control plane knows about names and numbers. */
export interface SampleNames {
  readonly isSteered: (name: string) => boolean;
  readonly dataCenterName: (index: number) => string | undefined;
}

/** Most names whose text is kept: what most of the traffic asks for, however many others a flood asks for. */
const MAX_KEPT_NAMES = 4096;

/** Turns the names of samples into text, the usual ones without formatting them anew. */
export class SampleNamer {
  readonly #names: SampleNames;
  /** By the octets of the wire form. */
  readonly #texts = new Map<string, string>();

  constructor(names: SampleNames) {
    this.#names = names;
  }

  name(sample: Sample): NamedSample {
    const asked = this.#textOf(questionName(sample));
    return {
      sample,
      asked,
      name: sample.steered ? (this.#steeredName(asked, sample) ?? asked) : asked,
      dataCenter: sample.dataCenter < 0 ? undefined : this.#names.dataCenterName(sample.dataCenter),
    };
  }

  /**
   * The name asked for is steered, or the chain of CNAMEs ended at a steered name. One in the middle of a chain, which
   * is steered to a CNAME of its own, goes by the name asked for.
   */
  #steeredName(asked: string | undefined, { lastName }: Sample): string | undefined {
    return this.#configured(asked) ?? this.#configured(this.#textOf(lastName));
  }

  #configured(name: string | undefined): string | undefined {
    if (name === undefined || this.#names.isSteered(name)) return name;
    for (let parent = parentName(name); parent !== undefined; parent = parentName(parent)) {
      const wildcard = parent === '.' ? '*.' : `*.${parent}`;
      if (this.#names.isSteered(wildcard)) return wildcard;
    }
    return undefined;
  }

  #textOf(wire: Uint8Array): string | undefined {
    if (wire.length === 0) return undefined;
    const key = octetKey(wire);
    const known = this.#texts.get(key);
    if (known !== undefined) return known;
    if (this.#texts.size >= MAX_KEPT_NAMES) this.#texts.clear();
    const text = formatName(lowercaseName(wire));
    this.#texts.set(key, text);
    return text;
  }
}

/** The wire form of the question's name; empty where the query has none that could be read. */
function questionName({ query, queryType }: Sample): Uint8Array {
  if (queryType === 0 || query.length <= HEADER_LENGTH) return query.subarray(0, 0);
  const length = wireNameLength(query, HEADER_LENGTH);
  return length < 0 ? query.subarray(0, 0) : query.subarray(HEADER_LENGTH, HEADER_LENGTH + length);
}
