import { type DestinationStream, type Logger, pino, stdTimeFunctions } from 'pino';
import type { LogLevel } from './log-level.ts';

export type { Logger } from 'pino';

/**
 * The node's log: JSON lines with the time in RFC 3339, UTC, and the level as a word.
 * They go to standard output unless told otherwise.
 */
export function createLogger(level: LogLevel, destination?: DestinationStream): Logger {
  const options = {
    level,
    // Host and process number are the log collector's to add; they would be noise on every line.
    base: null,
    timestamp: stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
