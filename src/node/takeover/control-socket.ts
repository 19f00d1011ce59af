import { closeSync, openSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join, resolve } from 'node:path';

/** Of a data directory. Whoever may write there may restart the node, and nobody else. */
const CONTROL_SOCKET = 'control.sock';

/** What the system takes for the path of a socket (unix(7)), without the octet that ends it. */
const MAX_SOCKET_PATH_OCTETS = 107;

/** Listens where `connectControl` connects. The caller has the directory's lock, so an old socket is a leftover. */
export async function listenControl(
  dataDirectory: string,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const { path, release } = socketPath(dataDirectory);
  const server = createServer(onConnection);
  // Closing removes the socket, so the path must hold until then.
  server.on('close', release);
  rmSync(path, { force: true });
  const listening = new Promise<void>((done, fail) => {
    server.once('error', fail);
    server.once('listening', done);
  });
  // The socket takes its mode from the mask, at once: it must not be open to others for a moment.
  const mask = process.umask(0o177);
  server.listen(path);
  process.umask(mask);
  await listening;
  // A connection that could not be accepted is its sender's loss.
  server.on('error', () => undefined);
  return server;
}

/** Connects to the node that has the data directory; undefined when none is running. */
export async function connectControl(dataDirectory: string): Promise<Socket | undefined> {
  let release = (): void => undefined;
  try {
    const found = socketPath(dataDirectory);
    release = found.release;
    return await connected(connect(found.path));
  } catch (error) {
    if (error instanceof Error && 'code' in error && NOBODY_THERE.includes(String(error.code)))
      return undefined;
    throw error;
  } finally {
    release();
  }
}

const NOBODY_THERE: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'ENOTDIR'];

function connected(socket: Socket): Promise<Socket> {
  return new Promise((done, fail) => {
    socket.once('connect', () => {
      socket.off('error', fail);
      // A peer that is killed resets the connection; its end is told by `close`.
      socket.on('error', () => undefined);
      done(socket);
    });
    socket.once('error', fail);
  });
}

/** A path that is too long is reached by way of its directory's descriptor. */
function socketPath(dataDirectory: string): { readonly path: string; readonly release: () => void } {
  const path = join(resolve(dataDirectory), CONTROL_SOCKET);
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH_OCTETS) return { path, release: () => undefined };
  const directory = openSync(dataDirectory, 'r');
  return { path: `/proc/self/fd/${directory}/${CONTROL_SOCKET}`, release: () => closeSync(directory) };
}
