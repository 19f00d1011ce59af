import { expect, it } from 'vitest';
import { loadNative } from '../../src/server/native.ts';

const loaded = loadNative();
const skipped = 'native' in loaded ? '' : ` (skipped: no addon here, ${loaded.reason})`;

it.skipIf('reason' in loaded)(`takes no more arguments than it has${skipped}`, () => {
  if (!('native' in loaded)) throw new Error(loaded.reason);
  const { native } = loaded;
  const sockets = [native.openTcp('127.0.0.1', 0, 0), native.openTcp('127.0.0.1', 0, 0)];
  // Each is called with the element, its index and the array.
  const copies = sockets.map(native.duplicateSocket);
  expect(copies.map(native.socketPort)).toEqual(sockets.map((socket) => native.socketPort(socket)));
  copies.forEach(native.closeSocket);
  sockets.forEach(native.closeSocket);
});
