/**
 * One octet per endpoint slot, shared by all threads: a failover is one store here, seen by the next packet.
 * What the octet says is written in `steering/verdict.ts`, which reads it; whoever writes it finds all here.
 */
export {
  LAST_KNOWN_UP,
  VERDICT_DOWN,
  VERDICT_DRAINED,
  VERDICT_UNKNOWN,
  VERDICT_UP,
} from '../steering/verdict.ts';

/** As many as a configuration may have endpoints (`MAX_ENDPOINTS`): 64 KiB, which stay in a processor's cache. */
export const MAX_ENDPOINT_SLOTS = 65_536;

/** A fresh table: every endpoint unknown. */
export function createVerdictTable(): Uint8Array<SharedArrayBuffer> {
  return new Uint8Array(new SharedArrayBuffer(MAX_ENDPOINT_SLOTS));
}
