import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeMemory } from './native-memory.ts';
import type { NativeNotify } from './native-notify.ts';
import type { NativePing } from './native-ping.ts';
import type { NativePriority } from './native-priority.ts';
import type { NativeTcp } from './native-tcp.ts';
import type { NativeUdp } from './native-udp.ts';

/**
 * The addon in `native/`: sockets and batches, no policy. Its functions throw an `Error` with the system's code
 * (`EADDRINUSE`). Every thread loads an instance of its own; descriptors are valid in all threads.
 */
export interface Native extends NativeUdp, NativeTcp, NativeMemory, NativeNotify, NativePing, NativePriority {
  /** An eventfd; a batch call of another thread that is given it returns soon after `wake`. */
  createWake(): number;
  wake(descriptor: number): void;
  closeWake(descriptor: number): void;
  socketPort(descriptor: number): number;
  /** Error: EBADF for a number that is no descriptor. */
  closeSocket(descriptor: number): void;
  /** Another descriptor for the same socket, which lives until the last of them is closed. */
  duplicateSocket(descriptor: number): number;
  /**
   * Of all sockets bound to the address of this one, in the order in which they were bound, only `count` from `first`
   * on get what arrives from now on. Where those are gone, all do again. `first` counts from 0, `count` is 1 or more;
   * errors: EINVAL for a count of 0, or where the socket does not share its port.
   */
  claimTraffic(descriptor: number, first: number, count: number): void;
  /** Errors: ENOENT where nothing was claimed, or another process has released it already. */
  releaseClaim(descriptor: number): void;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The addon, or why there is none: not built, or built for another system. */
export function loadNative(): { readonly native: Native } | { readonly reason: string } {
  const require = createRequire(import.meta.url);
  try {
    const load = require('node-gyp-build') as (directory: string) => Native;
    return { native: load(root) };
  } catch (error) {
    return { reason: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}
