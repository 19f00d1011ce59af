import { fstatSync } from 'node:fs';
import { loadNative } from '../../src/server/native.ts';
import { TCP_CLIENT_OCTETS, TCP_COMMAND_WORDS, TCP_EVENT_WORDS } from '../../src/server/native-tcp.ts';

/*
 * Opens a TCP loop with a wake descriptor that is none, and tells with what code that is refused, and whether the
 * standard input is open after that. In a process of its own: another one may not spare that descriptor.
 */
const loaded = loadNative();
if (!('native' in loaded)) throw new Error(loaded.reason);
const CAPACITY = 4;
const NO_DESCRIPTOR = 99_999;

/** What is behind the standard input; something else may take a number that is free. */
function standardInput(): string {
  const { dev, ino } = fstatSync(0);
  return `${dev} ${ino}`;
}

function codeOf(action: () => unknown): string {
  try {
    action();
    return 'none';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

const { native } = loaded;
const before = standardInput();
const octets = new Uint8Array(1024);
const refused = codeOf(() =>
  native.createTcpLoop(
    CAPACITY,
    NO_DESCRIPTOR,
    octets,
    octets,
    new Int32Array(CAPACITY * TCP_COMMAND_WORDS),
    new Int32Array(CAPACITY * TCP_EVENT_WORDS),
    new Uint8Array(CAPACITY * TCP_CLIENT_OCTETS),
  ),
);
process.stdout.write(`${refused}, ${standardInput() === before ? 'the same' : 'another'} standard input`);
