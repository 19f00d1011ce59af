import { originOf } from '../../snapshot/image-origin.ts';
import { openZoneImage } from '../../snapshot/zone-image.ts';

/** The zone images that were on disk at the start, by what they are made from. */
export class BootedImages {
  #byOrigin = new Map<string, SharedArrayBuffer>();
  /** Of zone files without steered names: those hold numbers of the run that made them. */
  #byApex = new Map<string, SharedArrayBuffer>();

  constructor(images: readonly SharedArrayBuffer[]) {
    for (const image of images) {
      const opened = openZoneImage(image);
      const origin = originOf(opened);
      if (origin === undefined) continue;
      this.#byOrigin.set(keyOf(origin), image);
      const { octets, apexAt, apexLength, steeredCount } = opened;
      const apex = octets.subarray(apexAt, apexAt + apexLength);
      if (steeredCount === 0) this.#byApex.set(keyOf(apex), image);
    }
  }

  find(origin: Uint8Array): SharedArrayBuffer | undefined {
    return this.#byOrigin.get(keyOf(origin));
  }

  /** What was served of a zone file before, though by now it may say something else; `apex` in lower-case wire form. */
  lastOf(apex: Uint8Array): SharedArrayBuffer | undefined {
    return this.#byApex.get(keyOf(apex));
  }

  /** Lets go of them: those that are still of use are in use by now. */
  clear(): void {
    this.#byOrigin = new Map();
    this.#byApex = new Map();
  }
}

function keyOf(origin: Uint8Array): string {
  return Buffer.from(origin).toString('hex');
}
