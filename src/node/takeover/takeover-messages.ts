import type { Socket } from 'node:net';
import type { SocketCounts } from '../../server/bound-address.ts';
import type { ListenAddress } from '../../server/listen-address.ts';

/*
 * What a running node and its successor say to each other on the control socket, one JSON object a line.
 *
 *     successor                                 the node that runs
 *       hello    ------------------------------>  answers: where it listens, or why it cannot be taken over
 *                <------------------------------  welcome | refused
 *       (loads its code, reads its settings)
 *       yield    ------------------------------>  closes its API, its probes and its store; DNS goes on
 *                <------------------------------  yielded
 *       (opens the store, publishes, serves DNS beside the other)
 *       (claims all new queries)
 *       ready    ------------------------------>  answers what has arrived, closes its sockets
 *                <------------------------------  left, then the process ends
 *
 * Until `ready` the node that runs can say `abort`: the successor then ends, and the other opens its store again.
 * So it does when the successor's connection ends. When the connection ends on the successor's side, the node that
 * ran has ended, and the successor goes on alone.
 *
 *     meridian restart                          the node that runs
 *       restart  ------------------------------>  starts a successor
 *                <------------------------------  restarted | refused
 */

export type ControlRequest =
  | { readonly kind: 'hello'; readonly protocol: number; readonly pid: number }
  | { readonly kind: 'yield' }
  | { readonly kind: 'ready' }
  | { readonly kind: 'restart' };

/** Where a node stands. */
export interface Standing {
  readonly dns: readonly ListenAddress[];
  /** On each address of `dns`. */
  readonly sockets: SocketCounts;
  readonly api: readonly ListenAddress[];
}

export type ControlReply =
  | ({ readonly kind: 'welcome' } & Standing)
  | { readonly kind: 'yielded' }
  | { readonly kind: 'left' }
  | { readonly kind: 'abort' }
  | { readonly kind: 'refused'; readonly message: string }
  | { readonly kind: 'restarted'; readonly pid: number };

/** Counts up when a message changes its meaning; nodes of different numbers do not take over from each other. */
export const TAKEOVER_PROTOCOL = 1;

/** The longest line is a welcome with 64 addresses of each kind. */
const MAX_LINE_CHARACTERS = 65_536;

export function sendMessage(socket: Socket, message: ControlRequest | ControlReply): void {
  if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** Calls back for each message. A peer that sends anything else is cut off. */
export function onMessage<M extends ControlRequest | ControlReply>(
  socket: Socket,
  callback: (message: M) => void,
): void {
  let waiting = '';
  socket.setEncoding('utf8');
  socket.on('data', (text: string) => {
    waiting += text;
    const lines = waiting.split('\n');
    waiting = lines.pop() ?? '';
    if (waiting.length > MAX_LINE_CHARACTERS) {
      socket.destroy();
      return;
    }
    for (const line of lines) {
      const message = parseMessage(line);
      if (message === undefined) {
        socket.destroy();
        return;
      }
      callback(message as M);
    }
  });
}

/** Both ends are this program and run as the same user: only the shape is looked at. */
function parseMessage(line: string): { readonly kind: string } | undefined {
  try {
    const message: unknown = JSON.parse(line);
    return message !== null && typeof message === 'object' && 'kind' in message
      ? (message as { readonly kind: string })
      : undefined;
  } catch {
    return undefined;
  }
}
