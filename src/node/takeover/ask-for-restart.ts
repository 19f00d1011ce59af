import type { Socket } from 'node:net';
import { lockHolder } from '../../store/directory-lock.ts';
import { connectControl } from './control-socket.ts';
import { type ControlReply, onMessage, sendMessage } from './takeover-messages.ts';

/** How a restart went; `pid` is of the process that serves now, undefined where it could not write its number down. */
export type RestartOutcome =
  | { readonly kind: 'restarted'; readonly pid: number | undefined }
  | { readonly kind: 'refused'; readonly message: string }
  /** No node has the directory. */
  | { readonly kind: 'nobody' }
  /** The node ended before it could say how it went, and no other has taken its place. */
  | { readonly kind: 'ended' };

/** How often to look for a successor of a node that has ended: it goes on alone, and needs seconds at most. */
const LOOKS = 100;
/** Ten seconds in all. */
export const LOOK_PAUSE_MS = 100;

/** Asks the node that has the data directory to restart by takeover. `pause` waits for `LOOK_PAUSE_MS`. */
export async function askForRestart(directory: string, pause: () => Promise<void>): Promise<RestartOutcome> {
  const before = lockHolder(directory);
  const socket = await connectControl(directory);
  if (socket === undefined) return { kind: 'nobody' };
  const reply = await replyOf(socket);
  if (reply?.kind === 'restarted' || reply?.kind === 'refused') return reply;
  for (let look = 0; look < LOOKS; look++) {
    await pause();
    const found = await connectControl(directory);
    found?.destroy();
    const now = lockHolder(directory);
    if (found !== undefined && now !== before) return { kind: 'restarted', pid: now };
  }
  return { kind: 'ended' };
}

/** Undefined where the connection ends without a word. */
async function replyOf(socket: Socket): Promise<ControlReply | undefined> {
  const reply = new Promise<ControlReply | undefined>((resolve) => {
    onMessage<ControlReply>(socket, resolve);
    socket.on('close', () => resolve(undefined));
  });
  sendMessage(socket, { kind: 'restart' });
  try {
    return await reply;
  } finally {
    socket.destroy();
  }
}
