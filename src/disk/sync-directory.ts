import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes durable that a file stands in its directory: to write the file does not. */
export function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
