/** Makes the memory of an image, zeroed; how is the caller's business, so that it may ask for large pages. */
export type AllocateImage = (octets: number) => SharedArrayBuffer;

/** As the language does it. */
export const allocatePlain: AllocateImage = (octets) => new SharedArrayBuffer(octets);
