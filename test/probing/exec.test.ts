import { getEventListeners } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ProbeReason, ProbeResult } from '../../src/health/probe-result.ts';
import { createExecProbe } from '../../src/probing/probes/exec.ts';

/** Long enough for a program on a busy machine. */
const AMPLE_MS = 10_000;

let root = '';
let allowed = '';

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'meridian-exec-'));
  allowed = join(root, 'probes');
  await mkdir(allowed);
});

afterAll(() => rm(root, { recursive: true }));

async function writeProgram(name: string, script: string, directory = allowed): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
}

type Options = { readonly timeoutMs?: number; readonly stopped?: AbortSignal; readonly arguments?: string[] };

function probe(
  kind: ReturnType<typeof createExecProbe>,
  program: string,
  options: Options = {},
): Promise<ProbeResult> {
  const settings = kind.settings.parse({ program, arguments: options.arguments ?? [] });
  const to = { address: '192.0.2.1', port: 8080, timeoutMs: options.timeoutMs ?? AMPLE_MS };
  return kind.run(to, settings as never, options.stopped ?? new AbortController().signal);
}

/** A process that is gone, or only waits to be collected by whoever inherited it, runs no more. */
function isRunning(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

async function pidIn(file: string): Promise<number> {
  return vi.waitFor(() => {
    const pid = Number(existsSync(file) ? readFileSync(file, 'latin1') : '');
    expect(pid).toBeGreaterThan(0);
    return pid;
  });
}

const cases: readonly {
  readonly name: string;
  readonly script: string;
  readonly arguments?: string[];
  readonly timeoutMs?: number;
  readonly want: string;
  readonly evidence: object;
}[] = [
  {
    name: 'exit code 0',
    script: 'echo fine; echo also >&2',
    want: 'ok: Exit code 0 at 192.0.2.1:8080',
    evidence: { exitCode: 0, outputStart: 'fine.', errorStart: 'also.' },
  },
  {
    name: 'another exit code',
    script: 'exit 3',
    want: 'program-failed: Exit code 3 at',
    evidence: { exitCode: 3 },
  },
  {
    name: 'its own end by a signal',
    script: 'kill -SEGV $$',
    want: 'program-failed: Ended by SIGSEGV at',
    evidence: { signal: 'SIGSEGV' },
  },
  {
    name: 'arguments as they are, without a shell',
    script: 'for each in "$@"; do printf "<%s>" "$each"; done',
    arguments: ['{address}:{port}', '$(id) `id` ; * "', '', '-x {port}'],
    want: 'ok: ',
    evidence: { exitCode: 0, outputStart: '<192.0.2.1:8080><$(id) `id` ; * "><><-x 8080>' },
  },
  {
    name: 'an environment of our own',
    // The shell adds PWD and its like by itself.
    script: "tr '\\0' '\\n' < /proc/$$/environ | sort | tr '\\n' ' '",
    want: 'ok: ',
    evidence: {
      exitCode: 0,
      outputStart: `LANG=C.UTF-8 MERIDIAN_ADDRESS=192.0.2.1 MERIDIAN_PORT=8080 MERIDIAN_TIMEOUT_MS=${AMPLE_MS} PATH=/usr/local/bin:/usr/bin:/bin `,
    },
  },
  {
    name: 'no end',
    script: 'echo started; exec sleep 600',
    timeoutMs: 300,
    want: 'timeout: Timeout while running the program at',
    evidence: { outputStart: 'started.' },
  },
  {
    name: 'output without end',
    script: 'exec yes',
    want: 'response-too-large: The program wrote more than',
    evidence: { outputStart: 'y.'.repeat(100) },
  },
  {
    name: 'more output than is kept',
    script: 'head -c 500000 /dev/zero; head -c 500000 /dev/zero >&2',
    want: 'ok: ',
    evidence: { exitCode: 0, outputStart: '.'.repeat(200), errorStart: '.'.repeat(200) },
  },
  {
    name: 'something to read from',
    script: 'read line; test -z "$line"',
    want: 'ok: ',
    evidence: { exitCode: 0 },
  },
];

describe('the exec probe runs a program and meets', () => {
  it.each(cases)('$name', async ({ name, script, timeoutMs, want, evidence, ...given }) => {
    const program = await writeProgram(name.replaceAll(/\W/g, '-'), script);
    const result = await probe(createExecProbe(allowed), program, {
      timeoutMs: timeoutMs ?? AMPLE_MS,
      arguments: given.arguments ?? [],
    });
    expect(`${result.reason}: ${result.detail}`).toContain(want);
    expect(result.ok).toBe(want.startsWith('ok'));
    expect(result.evidence).toEqual(evidence);
  });

  it('processes that it started: they end with it, in time or out of time', async () => {
    for (const [name, end, want] of [
      ['late', 'wait', 'timeout'],
      ['early', 'exit 0', 'ok'],
    ] as const) {
      const file = join(root, `${name}.pid`);
      const program = await writeProgram(name, `sleep 600 & echo $! > ${file}; ${end}`);
      const result = await probe(createExecProbe(allowed), program, { timeoutMs: 1000 });
      expect(result.reason).toBe(want);
      const pid = await pidIn(file);
      await vi.waitFor(() => expect(isRunning(pid)).toBe(false));
    }
  });

  it('a process that left its group and keeps the pipes open: it holds nothing up', async () => {
    const file = join(root, 'escaped.pid');
    const program = await writeProgram(
      'escaped',
      `setsid sh -c 'echo $$ > ${file}; exec sleep 600' & while ! test -s ${file}; do :; done; echo left; exit 4`,
    );
    const result = await probe(createExecProbe(allowed), program);
    const pid = await pidIn(file);
    process.kill(pid, 'SIGKILL');
    expect(result).toMatchObject({
      reason: 'program-failed',
      evidence: { exitCode: 4, outputStart: 'left.' },
    });
  });

  it('a stop: it is killed at once', async () => {
    const file = join(root, 'stopped.pid');
    const program = await writeProgram('stopped', `echo $$ > ${file}; exec sleep 600`);
    const stopping = new AbortController();
    const probing = probe(createExecProbe(allowed), program, { stopped: stopping.signal });
    const pid = await pidIn(file);
    stopping.abort();
    expect(await probing).toMatchObject({ ok: false, reason: 'internal-error' });
    // Collected too: the process table has no trace of it.
    await vi.waitFor(() => expect(existsSync(`/proc/${pid}`)).toBe(false));
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });
});

describe('the exec probe blames itself', () => {
  const wants: readonly { name: string; make: () => Promise<string>; want: string }[] = [
    {
      name: 'for a program that is not there',
      make: async () => join(allowed, 'nothing'),
      want: 'The program could not be started (ENOENT)',
    },
    {
      name: 'for one that may not be run',
      make: async () => {
        await writeFile(join(allowed, 'plain'), 'text');
        return join(allowed, 'plain');
      },
      want: 'The program could not be started (EACCES)',
    },
    {
      name: 'for a program elsewhere',
      make: () => writeProgram('outside', 'exit 0', root),
      want: 'not in the directory that --allow-exec names',
    },
    {
      name: 'for a path that climbs out',
      make: async () => `${allowed}/../outside`,
      want: 'not in the directory that --allow-exec names',
    },
    {
      name: 'for a link that leads out',
      make: async () => {
        await symlink(join(root, 'outside'), join(allowed, 'link'));
        return join(allowed, 'link');
      },
      want: 'not in the directory that --allow-exec names',
    },
    {
      name: 'for a directory that only begins alike',
      make: async () => {
        await mkdir(`${allowed}-more`);
        return writeProgram('alike', 'exit 0', `${allowed}-more`);
      },
      want: 'not in the directory that --allow-exec names',
    },
  ];
  it.each(wants)('$name', async ({ make, want }) => {
    const result = await probe(createExecProbe(allowed), await make());
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(result.detail).toContain(want);
  });

  it('on a node that runs no programs', async () => {
    const result = await probe(createExecProbe(undefined), '/bin/true');
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(result.detail).toContain('--allow-exec');
  });

  it('for an argument that needs a port when there is none', async () => {
    const kind = createExecProbe('/bin');
    const settings = kind.settings.parse({ program: '/bin/true', arguments: ['{port}'] });
    const to = { address: '192.0.2.1', port: undefined, timeoutMs: AMPLE_MS };
    const result = await kind.run(to, settings as never, new AbortController().signal);
    expect(result).toMatchObject({ ok: false, reason: 'internal-error' });
  });
});

describe('the places for programs', () => {
  it('bound how many run at once, and all get their turn', async () => {
    const log = join(root, 'places.log');
    const program = await writeProgram('placed', `echo + >> ${log}; sleep 0.02; echo - >> ${log}`);
    const kind = createExecProbe(allowed, 2);
    const results = await Promise.all(Array.from({ length: 6 }, () => probe(kind, program)));
    expect(results.map(({ reason }) => reason)).toEqual(Array(6).fill('ok' satisfies ProbeReason));
    let running = 0;
    let most = 0;
    for (const line of (await readFile(log, 'latin1')).trim().split('\n')) {
      running += line === '+' ? 1 : -1;
      most = Math.max(most, running);
    }
    expect(running).toBe(0);
    expect(most).toBeLessThanOrEqual(2);
  });

  it('are this node’s own want when there is none in time', async () => {
    const file = join(root, 'taken.pid');
    const program = await writeProgram('taken', `echo $$ > ${file}; exec sleep 600`);
    const kind = createExecProbe(allowed, 1);
    const stopping = new AbortController();
    const first = probe(kind, program, { stopped: stopping.signal });
    await pidIn(file);
    const second = await probe(kind, program, { timeoutMs: 50 });
    expect(second).toMatchObject({ ok: false, reason: 'internal-error' });
    expect(second.detail).toContain('places for programs');
    stopping.abort();
    await first;
    // The place is free again once the program is gone.
    expect(await probe(kind, await writeProgram('next', 'exit 0'))).toMatchObject({ ok: true });
  });
});

describe('the settings of the exec probe', () => {
  const bad: readonly { readonly name: string; readonly given: object; readonly want: string }[] = [
    { name: 'no program', given: {}, want: 'expected string' },
    {
      name: 'a relative path',
      given: { program: 'bin/true' },
      want: 'must be the absolute path of a program',
    },
    { name: 'a directory', given: { program: '/bin/' }, want: 'must be the absolute path of a program' },
    {
      name: 'an unknown placeholder',
      given: { program: '/bin/true', arguments: ['{host}'] },
      want: 'must not hold placeholders other than {address} and {port}',
    },
    {
      name: 'a zero octet',
      given: { program: '/bin/true', arguments: ['a\0b'] },
      want: 'must not hold a zero octet',
    },
    {
      name: 'too many arguments',
      given: { program: '/bin/true', arguments: Array(33).fill('') },
      want: 'expected array to have <=32 items',
    },
  ];
  it.each(bad)('refuse $name', ({ given, want }) => {
    const result = createExecProbe(undefined).settings.safeParse(given);
    expect(result.error?.issues.map(({ message }) => message).join()).toContain(want);
  });
});
