import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { excerpt, MAX_EVIDENCE_LENGTH, type ProbeRun } from './probe-run.ts';
import { codeOf } from './socket-error.ts';

/** What a program may write before it is ended: reading on for ever would cost the time of this thread. */
export const MAX_OUTPUT_OCTETS = 1_048_576;

/** How long what an ended program has written is waited for, when a process that it left behind keeps the pipe open. */
const LAST_OUTPUT_MS = 100;

export interface ProgramCall {
  /** Absolute path. */
  readonly program: string;
  readonly arguments: readonly string[];
  /** The whole environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
}

type Child = ChildProcessByStdio<null, Readable, Readable>;

/**
 * Runs a program as the leader of a process group of its own; the group is killed when the program ends, when the
 * run's time is up, and when it is stopped. Exit code 0 passes.
 *
 *     spawn --> exit ----> group killed --> pipes closed, or 100 ms --> verdict
 *           `-> timeout -> group killed, pipes destroyed, verdict
 *
 * `onEnded` is called when the program is gone or could not be started; the verdict may come before or after.
 * Throws what the system says of a call that it cannot even try, such as one that is too long.
 */
export function runProgram(run: ProbeRun, call: ProgramCall, onEnded: () => void): void {
  const child = spawn(call.program, [...call.arguments], {
    cwd: call.workingDirectory,
    env: call.environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: false,
    // Calls setsid(2): a group of its own, and no terminal.
    detached: true,
  });
  child.once('exit', onEnded);
  child.on('error', (error) => {
    // Without a number it has not been started, and no exit will come.
    if (child.pid === undefined) onEnded();
    run.fail('internal-error', `The program could not be started (${codeOf(error)})`);
  });
  if (child.pid === undefined) return;
  run.stage = 'running the program';
  keepOutput(run, child);
  judgeExit(run, child);
  run.hold({
    destroy: () => {
      if (child.exitCode === null && child.signalCode === null) killGroup(child);
      child.stdout.destroy();
      child.stderr.destroy();
      // A process that hangs in the kernel is no reason for this one to stay.
      child.unref();
    },
  });
}

function judgeExit(run: ProbeRun, child: Child): void {
  child.once('exit', (code, signal) => {
    // Nothing that it has started outlives it, as far as it stayed in the group.
    killGroup(child);
    const judge = (): void => {
      clearTimeout(timer);
      if (run.decided) return;
      if (code !== null) run.evidence.exitCode = code;
      if (signal !== null) run.evidence.signal = signal;
      if (code === 0) run.pass('Exit code 0');
      else run.fail('program-failed', code === null ? `Ended by ${signal}` : `Exit code ${code}`);
    };
    const timer = setTimeout(judge, LAST_OUTPUT_MS);
    run.hold({ destroy: () => clearTimeout(timer) });
    child.once('close', judge);
  });
}

/** The first octets of each stream are evidence; what follows is read and dropped, so that no write blocks. */
function keepOutput(run: ProbeRun, child: Child): void {
  let total = 0;
  const keep = (stream: Readable, name: 'outputStart' | 'errorStart'): void => {
    let first: Uint8Array = new Uint8Array(0);
    stream.on('error', () => undefined);
    stream.on('data', (piece: Uint8Array) => {
      if (run.decided) return;
      total += piece.length;
      if (first.length < MAX_EVIDENCE_LENGTH) {
        first = Buffer.concat([first, piece.subarray(0, MAX_EVIDENCE_LENGTH - first.length)]);
        run.evidence[name] = excerpt(first);
      }
      if (total > MAX_OUTPUT_OCTETS)
        run.fail('response-too-large', `The program wrote more than ${MAX_OUTPUT_OCTETS} octets`);
    });
  };
  keep(child.stdout, 'outputStart');
  keep(child.stderr, 'errorStart');
}

function killGroup({ pid }: Child): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // The group is empty, or the program has taken rights that outrank ours.
  }
}
