import { originOf } from '../../snapshot/image-origin.ts';
import { openZoneImage } from '../../snapshot/zone-image.ts';

/** The zone images that were on disk at the start, by what they are made from. */
export class BootedImages {
  #byOrigin = new Map<string, SharedArrayBuffer>();

  constructor(images: readonly SharedArrayBuffer[]) {
    for (const image of images) {
      const origin = originOf(openZoneImage(image));
      if (origin !== undefined) this.#byOrigin.set(keyOf(origin), image);
    }
  }

  find(origin: Uint8Array): SharedArrayBuffer | undefined {
    return this.#byOrigin.get(keyOf(origin));
  }

  /** Lets go of them: those that are still of use are in use by now. */
  clear(): void {
    this.#byOrigin = new Map();
  }
}

function keyOf(origin: Uint8Array): string {
  return Buffer.from(origin).toString('hex');
}
