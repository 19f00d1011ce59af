import { realpath } from 'node:fs/promises';
import { isAbsolute, sep } from 'node:path';
import { z } from 'zod';
import { beginConnecting } from '../connection.ts';
import type { ProbeKind, ProbeTarget } from '../probe.ts';
import { type ProbeRun, runProbe } from '../probe-run.ts';
import { type LeavePlace, ProgramPlaces } from '../program-places.ts';
import { type ProgramCall, runProgram } from '../program-run.ts';
import { codeOf } from '../socket-error.ts';

/** Programs of one node at once: each is a process, and most machines have fewer cores. */
const MAX_PROGRAMS = 16;

const MAX_PATH_LENGTH = 1024;
const MAX_ARGUMENTS = 32;
const MAX_ARGUMENT_LENGTH = 1024;

/** All of the environment that does not depend on the target; the node's own may hold secrets. */
const ENVIRONMENT = { PATH: '/usr/local/bin:/usr/bin:/bin', LANG: 'C.UTF-8' };

const PLACEHOLDER = /\{([A-Za-z]+)\}/g;

const argument = z
  .string()
  .max(MAX_ARGUMENT_LENGTH)
  .refine((text) => !text.includes('\0'), { error: 'must not hold a zero octet' })
  .refine(
    (text) => [...text.matchAll(PLACEHOLDER)].every(([, name]) => name === 'address' || name === 'port'),
    {
      error: 'must not hold placeholders other than {address} and {port}',
    },
  );

const execSettings = z.strictObject({
  /** Absolute path; it must lead into the directory that the node allows, also when links in it are followed. */
  program: z
    .string()
    .max(MAX_PATH_LENGTH)
    .refine((path) => isAbsolute(path) && !path.endsWith(sep) && !path.includes('\0'), {
      error: 'must be the absolute path of a program',
    }),
  /** Given as they are, without a shell; `{address}` and `{port}` in them stand for the endpoint's. */
  arguments: z.array(argument).max(MAX_ARGUMENTS).default([]),
});

type ExecSettings = Readonly<z.infer<typeof execSettings>>;

/**
 * The kind for a node that allows the programs of one directory, or none. A monitor is configuration of all nodes, so
 * it is accepted everywhere, and a node that does not allow it says so in the result, which takes nothing down.
 */
export function createExecProbe(
  directory: string | undefined,
  maxPrograms: number = MAX_PROGRAMS,
): ProbeKind<ExecSettings> {
  const places = new ProgramPlaces(maxPrograms);
  return {
    kind: 'exec',
    summary:
      'Runs a program without a shell and passes when its exit code is 0; only where the node allows it by --allow-exec.',
    settings: execSettings,
    run: async (target, settings, stopped) => {
      if (directory === undefined) return failed(target, stopped, NOT_ALLOWED);
      if (target.port === undefined && settings.arguments.some((text) => text.includes('{port}')))
        return failed(target, stopped, 'The monitor names no port for {port}, so nothing was run');
      // The program gets its whole time: what it waits for a place is this node's want, not the endpoint's.
      const leave = await places.take(target.timeoutMs, stopped);
      if (leave === undefined)
        return failed(target, stopped, `All ${maxPrograms} places for programs stayed taken`);
      let begun = false;
      const result = runProbe(target, stopped, (run) => {
        begun = true;
        if (!beginConnecting(run, target)) return leave();
        run.stage = 'looking for the program';
        void begin(run, callOf(target, settings, directory), directory, leave);
      });
      // A run that was stopped before it began starts nothing that would leave.
      if (!begun) leave();
      return result;
    },
  };
}

const NOT_ALLOWED = 'This node runs no programs: it was started without --allow-exec';

function failed(target: ProbeTarget, stopped: AbortSignal, why: string): ReturnType<typeof runProbe> {
  return runProbe(target, stopped, (run) => run.fail('internal-error', why));
}

/** Never rejects; `leave` is called when nothing runs any more. */
async function begin(run: ProbeRun, call: ProgramCall, directory: string, leave: LeavePlace): Promise<void> {
  try {
    const program = await realpath(call.program);
    const allowed = await realpath(directory);
    if (!program.startsWith(allowed.endsWith(sep) ? allowed : `${allowed}${sep}`))
      run.fail('internal-error', `The program is not in the directory that --allow-exec names`);
    if (run.decided) return leave();
    runProgram(run, { ...call, program, workingDirectory: allowed }, leave);
  } catch (error) {
    leave();
    run.fail('internal-error', `The program could not be started (${codeOf(error) || String(error)})`);
  }
}

function callOf(target: ProbeTarget, settings: ExecSettings, workingDirectory: string): ProgramCall {
  const { address, port, timeoutMs } = target;
  const values = { address, port: port === undefined ? '' : String(port) };
  return {
    program: settings.program,
    arguments: settings.arguments.map((text) =>
      text.replaceAll(PLACEHOLDER, (_, name: 'address' | 'port') => values[name]),
    ),
    environment: {
      ...ENVIRONMENT,
      MERIDIAN_ADDRESS: address,
      ...(port === undefined ? {} : { MERIDIAN_PORT: values.port }),
      MERIDIAN_TIMEOUT_MS: String(timeoutMs),
    },
    workingDirectory,
  };
}
