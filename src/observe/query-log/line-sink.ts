import type { Writable } from 'node:stream';

/** Where lines go. */
export interface LineSink {
  /** Resolves when the system has the text; rejects where it cannot be written. Never called before it has settled. */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Lines on a stream that somebody else collects and turns over, such as standard output. */
export function streamSink(stream: Writable): LineSink {
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    close: async () => undefined,
  };
}
