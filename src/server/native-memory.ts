/** The addon's part in `native/memory.c`. */
export interface NativeMemory {
  /**
   * Asks the kernel to keep these octets in huge pages when they are first written. Only advice: where it is not
   * taken, nothing changes.
   */
  adviseHugePages(octets: Uint8Array): void;
}
