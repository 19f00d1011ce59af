import type { TLSSocket } from 'node:tls';
import { encodeControl } from '../control.ts';
import { LENGTH_OCTETS } from './payload-reader.ts';

/** After the last words, the other end has this long to take them. */
const FAREWELL_MS = 1000;

/** A payload as it stands on the connection. */
export function withLength(payload: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(LENGTH_OCTETS + payload.length);
  message.writeUInt32BE(payload.length);
  message.set(payload, LENGTH_OCTETS);
  return message;
}

/** Tells whoever is at the other end why this is the end: an operator will look for the reason on that side too. */
export function sayGoodbye(socket: TLSSocket, reason: string): void {
  if (!socket.destroyed && !socket.writableEnded)
    socket.write(withLength(encodeControl('goodbye', Buffer.from(reason))));
  hangUp(socket);
}

/** Sends what is still to be sent, for a bounded time, and reads no more. */
export function hangUp(socket: TLSSocket): void {
  if (socket.destroyed) return;
  socket.end();
  socket.resume();
  setTimeout(() => socket.destroy(), FAREWELL_MS).unref();
}
