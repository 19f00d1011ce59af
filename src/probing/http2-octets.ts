import type net from 'node:net';
import type { ProbeRun } from './probe-run.ts';

/**
 * What a peer may send beside a body before the run is over, frames of all kinds together: pings, settings, window
 * updates and frames of unknown types are free for it, cost us time, and are not held back by flow control.
 */
export const MAX_HTTP2_OCTETS = 131_072;

/** How often the peer's octets are counted. A turn of the event loop reads a few megabytes at most. */
const COUNT_INTERVAL_MS = 25;

/** Fails the run once the peer has sent more than `limitOctets` over the connection; returns a count to make sooner. */
export function boundHttp2(run: ProbeRun, socket: net.Socket, limitOctets: number): () => void {
  const count = (): void => {
    if (socket.bytesRead > limitOctets)
      run.fail('response-too-large', `More than ${limitOctets} octets of HTTP/2`);
  };
  const timer = setInterval(count, COUNT_INTERVAL_MS);
  run.hold({ destroy: () => clearInterval(timer) });
  return count;
}
