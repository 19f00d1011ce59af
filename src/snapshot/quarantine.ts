import type { Problem } from '../config/problem.ts';
import { formatName } from '../dns/name.ts';
import type { RRsetValue } from '../dns/rrset-columns.ts';
import { formatType } from '../dns/type.ts';

/** Nobody mends more at once; the rest is left out all the same. */
const MAX_PROBLEMS = 1000;

/** The problems of one zone, found while it is compiled: what they concern is left out of the image. */
export class Quarantine {
  readonly problems: Problem[] = [];
  readonly #apex: string;

  constructor(apex: Uint8Array) {
    this.#apex = formatName(apex);
  }

  rrset(rrset: RRsetValue, code: string, why: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    const subject = `${formatName(rrset.owner)} ${formatType(rrset.type)}`;
    const path = `zones/${this.#apex}/rrsets/${subject}`;
    this.problems.push({ code, path, message: `${subject} ${why}.` });
  }

  steered(owner: Uint8Array, code: string, why: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    const subject = formatName(owner);
    this.problems.push({
      code,
      path: `steeredNames/${subject}`,
      message: `The steered name ${subject} ${why}.`,
    });
  }

  zone(code: string, sentence: string): void {
    if (this.problems.length >= MAX_PROBLEMS) return;
    this.problems.push({ code, path: `zones/${this.#apex}`, message: sentence });
  }
}
