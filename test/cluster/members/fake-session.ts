import { decodeFrame } from '../../../src/cluster/frame.ts';
import type { PeerSession } from '../../../src/cluster/transport/transport.ts';

export interface RecordedSession extends PeerSession {
  /** Values of the frames that were sent, oldest first. */
  readonly sent: unknown[];
}

/** A session that keeps what is sent over it. */
export function recordedSession(peer: string): RecordedSession {
  const sent: unknown[] = [];
  return {
    peer,
    version: '0.2.0',
    protocol: 1,
    waitingOctets: 0,
    roundTripMs: 10,
    certificateSerial: 'A1',
    certificateExpiresAtMs: 1_780_000_000_000,
    sent,
    send: (frame) => {
      const decoded = decodeFrame(frame);
      sent.push(decoded.ok ? decoded.frame.value : decoded.reason);
      return true;
    },
    close: () => undefined,
  };
}
