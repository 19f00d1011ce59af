import type { Response } from 'express';
import type { ControlPlane } from './control-plane.ts';

/** Open event streams at once: operators' pages, not the public. */
export const MAX_SUBSCRIBERS = 100;

/** Often enough that proxies, which commonly cut after 30 to 60 s of silence, keep the stream open. */
export const HEARTBEAT_MS = 15_000;

/** How long a page waits before it opens a broken stream again. */
const RETRY_MS = 2000;

/** Open streams of this application. */
export interface EventStreams {
  readonly full: () => boolean;
  /** Turns a response into a stream of `change` events until either side closes it. */
  readonly open: (response: Response) => void;
}

/**
 * Server-sent events. A `change` carries only the generation: the page fetches again what it shows, so a slow
 * reader may miss events, but never the last one.
 */
export function createEventStreams(plane: ControlPlane, heartbeatMs: number): EventStreams {
  let count = 0;
  return {
    full: () => count >= MAX_SUBSCRIBERS,
    open: (response) => {
      count++;
      const close = stream(plane, response, heartbeatMs);
      response.once('close', () => {
        count--;
        close();
      });
    },
  };
}

function stream(plane: ControlPlane, response: Response, heartbeatMs: number): () => void {
  let behind = false;
  response.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' });
  response.write(`retry: ${RETRY_MS}\n\n`);

  const tell = (): void => {
    // A reader that does not keep up gets one event for all it missed, once it has caught up.
    behind = response.writableNeedDrain;
    if (!behind) response.write(`event: change\ndata: {"generation":${plane.config.generation}}\n\n`);
  };
  const beat = (): void => {
    if (!response.writableNeedDrain) response.write(': heartbeat\n\n');
  };
  response.on('drain', () => {
    if (behind) tell();
  });
  const timer = setInterval(beat, heartbeatMs);
  timer.unref();
  const unsubscribe = plane.subscribe(tell);
  tell();

  return () => {
    clearInterval(timer);
    unsubscribe();
  };
}
