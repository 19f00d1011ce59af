/** The addon's part in `native/priority.c`. Threads that the calling one starts later inherit nothing of it. */
export interface NativePriority {
  /**
   * Makes the calling thread an ordinary one, and sets how long it runs at a stretch while others wait, in nanoseconds,
   * 100,000 to 100,000,000. Throws where the system refuses; a kernel that knows no such slices ignores them.
   */
  setSlice(nanoseconds: number): void;
  /** Puts the calling thread before every ordinary one. Throws EPERM where the process may not. */
  setRealTime(): void;
  /** Processor time of the calling thread in milliseconds, modulo 2^30. */
  threadCpuMs(): number;
  /** Time that passes, in milliseconds, modulo 2^30. */
  monotonicMs(): number;
}
