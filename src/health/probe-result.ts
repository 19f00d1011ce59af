/** Why a probe ended as it did; one closed list over all kinds, so that metrics and alerts can rely on it. */
export const probeReasons = [
  'ok',
  'timeout',
  'connection-refused',
  'connection-reset',
  'unreachable',
  'tls-failed',
  'certificate-invalid',
  'certificate-expiring',
  'unexpected-status',
  'body-mismatch',
  'response-too-large',
  'malformed-response',
  'unexpected-reply',
  'not-serving',
  'program-failed',
  'reported-down',
  'lease-expired',
  'internal-error',
] as const;

export type ProbeReason = (typeof probeReasons)[number];

/** One run's fact. */
export interface ProbeResult {
  readonly ok: boolean;
  readonly reason: ProbeReason;
  /** One sentence for people: `HTTP 503 from 192.0.2.1:80 after 12 ms`. */
  readonly detail: string;
  /** Milliseconds on a monotonic clock from start to verdict. */
  readonly durationMs: number;
  /** What was seen, bounded in size: status code, certificate expiry, first octets of a body. */
  readonly evidence: Readonly<Record<string, string | number | boolean>>;
}
