/** What stands for an image in the collector's books; never touched, so the system gives it no memory. */
const counted = new WeakMap<SharedArrayBuffer, ArrayBuffer>();

/**
 * Makes this thread's collector count an image at its size. Of shared memory it counts nothing: a main thread that has
 * little to do would keep every replaced map and table, hundreds of megabytes each, until its small objects fill up.
 */
export function countImage(image: SharedArrayBuffer): void {
  if (!counted.has(image)) counted.set(image, new ArrayBuffer(image.byteLength));
}
