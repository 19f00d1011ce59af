import type { ProbeResult } from '../../src/health/probe-result.ts';

/** A successful result. */
export const success: ProbeResult = {
  ok: true,
  reason: 'ok',
  detail: 'HTTP 200 at 192.0.2.1:80 after 3 ms',
  durationMs: 3,
  evidence: { status: 200 },
};

/** A failed result. */
export const failure: ProbeResult = {
  ok: false,
  reason: 'connection-refused',
  detail: 'Connecting failed (ECONNREFUSED) at 192.0.2.1:80 after 1 ms',
  durationMs: 1,
  evidence: {},
};

/** A failure that is the prober's own. */
export const ownFailure: ProbeResult = {
  ...failure,
  reason: 'internal-error',
  detail: 'Connecting failed (EMFILE)',
};

/** Results from a word: `s` success, `f` failure, `i` a failure of our own. */
export function resultsOf(word: string): readonly ProbeResult[] {
  return Array.from(word, (letter) => (letter === 's' ? success : letter === 'f' ? failure : ownFailure));
}
