import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/server/native.ts';
import { eventually } from '../until.ts';
import { askTcp, askUdp } from './dns-client.ts';
import {
  commandLine,
  type NodeProcess,
  runMeridian,
  startNodeProcess,
  temporaryDirectory,
} from './node-process.ts';

const data = temporaryDirectory();
afterAll(() => data.remove());

const QUESTION = { name: 'www.example.org', type: 'A' };

/** Each with a socket of its own for every query, so that the kernel's hash sends them to every socket there is. */
const ASKERS = 4;

const ZONE = `
@ 60 IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ 60 IN NS ns1
ns1 60 IN A 192.0.2.53
www 60 IN A 192.0.2.1
`;

/** Where a node begins that can be exchanged while it runs, as an upgrade does. */
function programIn(name: string): {
  readonly path: string;
  readonly directory: string;
  become(text: string): void;
} {
  const directory = join(data.path, name);
  mkdirSync(join(directory, 'config', 'zones'), { recursive: true });
  writeFileSync(join(directory, 'config', 'zones', 'example.org.zone'), ZONE);
  const path = join(directory, 'program.ts');
  const become = (text: string): void => writeFileSync(path, text);
  become(`await import(${JSON.stringify(commandLine)});\n`);
  return { path, directory, become };
}

async function startIn(
  program: ReturnType<typeof programIn>,
  flags: readonly string[] = [],
): Promise<NodeProcess> {
  const { directory, path } = program;
  const where = ['--data', join(directory, 'data'), '--config', join(directory, 'config')];
  return startNodeProcess([...where, ...flags], {}, path);
}

function restart(program: ReturnType<typeof programIn>): ReturnType<typeof runMeridian> {
  return runMeridian(['restart', '--data', join(program.directory, 'data')]);
}

/** Asks without a pause over both transports until told to stop; tells how many were asked and lost. */
function steadyQueries(port: number): { stop(): Promise<{ readonly asked: number; readonly lost: number }> } {
  let running = true;
  let asked = 0;
  let lost = 0;
  const ask = async (once: typeof askUdp): Promise<void> => {
    while (running) {
      const message = await once(port, QUESTION);
      asked += 1;
      if (message?.answers[0]?.text !== '192.0.2.1') lost += 1;
    }
  };
  const askers = Array.from({ length: ASKERS }, (_, index) => ask(index % 2 === 0 ? askUdp : askTcp));
  return {
    stop: async () => {
      running = false;
      await Promise.all(askers);
      return { asked, lost };
    },
  };
}

/** Ends a process that is not our child. */
async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGTERM');
  await eventually(async () => isGone(pid), { withinMs: 10_000, what: `process ${pid} ends` });
}

function isGone(pid: number): true | undefined {
  try {
    process.kill(pid, 0);
    return undefined;
  } catch {
    return true;
  }
}

describe.skipIf('reason' in loadNative())('a restart by takeover', { timeout: 60_000 }, () => {
  it('puts another process in the place of the first, and again, without losing a query', async () => {
    const program = programIn('good');
    const node = await startIn(program);
    const queries = steadyQueries(node.dnsPort);
    const first = await restart(program);
    expect(first.output).toMatch(/^process \d+ serves now/);
    expect(await node.gone).toBe(0);
    const second = await restart(program);
    const pids = [first, second].map(({ output }) => Number(output.match(/\d+/)?.[0]));
    const { asked, lost } = await queries.stop();
    const api = await fetch(`${node.api}/v1/status`);
    for (const pid of pids) if (!isGone(pid)) await end(pid);
    expect(pids[0]).not.toBe(pids[1]);
    expect(api.status).toBe(200);
    expect(asked).toBeGreaterThan(100);
    expect(lost).toBe(0);
  });

  it('is asked for by a signal, too', async () => {
    const program = programIn('signal');
    const node = await startIn(program);
    node.signal('SIGUSR2');
    expect(await node.gone).toBe(0);
    const answer = await askUdp(node.dnsPort, QUESTION);
    const status = (await (await fetch(`${node.api}/v1/status`)).json()) as { readonly ready: boolean };
    const holder = await restart(program);
    await end(Number(holder.output.match(/\d+/)?.[0]));
    expect(answer?.answers.length).toBe(1);
    expect(status.ready).toBe(true);
  });

  const failures: readonly { readonly name: string; readonly program: string; readonly want: RegExp }[] = [
    { name: 'ends at once', program: 'process.exit(3);', want: /ended before it was ready \(exit code 3\)/ },
    { name: 'cannot be read', program: 'this is no program', want: /ended before it was ready/ },
    { name: 'hangs', program: 'setInterval(() => undefined, 1000);', want: /not ready within 2 seconds/ },
    {
      name: 'is killed half-way, with the store open',
      program: `
        import { readFileSync } from 'node:fs';
        const holder = process.argv[process.argv.indexOf('--data') + 1] + '/lock.holder';
        setInterval(() => {
          try {
            if (Number(readFileSync(holder, 'utf8')) === process.pid) process.kill(process.pid, 'SIGKILL');
          } catch {}
        }, 1);
        await import(${JSON.stringify(commandLine)});
      `,
      want: /ended before it was ready \(SIGKILL\)/,
    },
  ];
  it.each(failures)('changes nothing when the new process $name', async ({ name, program: text, want }) => {
    const program = programIn(name.replaceAll(' ', '-'));
    const node = await startIn(program, name === 'hangs' ? ['--takeover-timeout', '2'] : []);
    const queries = steadyQueries(node.dnsPort);
    program.become(text);
    const outcome = await restart(program);
    const { lost } = await queries.stop();
    const status = await fetch(`${node.api}/v1/status`);
    expect(outcome).toMatchObject({ code: 1, output: expect.stringMatching(want) });
    expect(lost).toBe(0);
    expect(status.status).toBe(200);
    expect(await node.stop()).toBe(0);
  });

  const loader = new URL('../../src/server/native.ts', import.meta.url).href;
  const hangs: readonly { readonly name: string; readonly program: string }[] = [
    {
      name: 'with the store open',
      program: `
        import { readFileSync } from 'node:fs';
        const holder = process.argv[process.argv.indexOf('--data') + 1] + '/lock.holder';
        const timer = setInterval(() => {
          try {
            if (Number(readFileSync(holder, 'utf8')) !== process.pid) return;
          } catch {
            return;
          }
          clearInterval(timer);
          process.kill(process.pid, 'SIGSTOP');
        }, 1);
        await import(${JSON.stringify(commandLine)});
      `,
    },
    {
      name: 'when it has claimed all queries',
      program: `
        const { loadNative } = await import(${JSON.stringify(loader)});
        const { native } = loadNative();
        const { claimTraffic } = native;
        native.claimTraffic = (...args) => {
          claimTraffic(...args);
          process.kill(process.pid, 'SIGSTOP');
        };
        await import(${JSON.stringify(commandLine)});
      `,
    },
  ];
  it.each(hangs)(
    'goes on when a process that was started by hand hangs $name',
    async ({ name, program: text }) => {
      const program = programIn(`hangs-${name.replaceAll(' ', '-')}`);
      const node = await startIn(program, ['--takeover-timeout', '5']);
      program.become(text);
      await expect(startIn(program, ['--takeover'])).rejects.toThrow('ended with code null');
      const status = await eventually(() => fetch(`${node.api}/v1/status`).catch(() => undefined), {
        withinMs: 10_000,
        what: 'the API is there again',
      });
      const answers = [await askUdp(node.dnsPort, QUESTION), await askTcp(node.dnsPort, QUESTION)];
      expect(await node.stop()).toBe(0);
      expect(status.status).toBe(200);
      expect(answers.map((message) => message?.answers[0]?.text)).toEqual(['192.0.2.1', '192.0.2.1']);
    },
  );

  it("works on Node's own sockets, too", async () => {
    const program = programIn('node-sockets');
    const node = await startIn(program, ['--sockets', 'node']);
    const { output } = await restart(program);
    expect(await node.gone).toBe(0);
    const answers = [await askUdp(node.dnsPort, QUESTION), await askTcp(node.dnsPort, QUESTION)];
    await end(Number(output.match(/^process (\d+) serves now/)?.[1]));
    expect(answers.map((message) => message?.answers[0]?.text)).toEqual(['192.0.2.1', '192.0.2.1']);
  });

  it('starts alone where no node runs', async () => {
    const program = programIn('alone');
    const node = await startIn(program, ['--takeover']);
    const answer = await askUdp(node.dnsPort, QUESTION);
    expect(await node.stop()).toBe(0);
    expect(answer?.answers.length).toBe(1);
  });

  it('is not possible without a node', async () => {
    const outcome = await runMeridian(['restart', '--data', join(data.path, 'nobody')]);
    expect(outcome).toMatchObject({ code: 1, output: expect.stringMatching(/no node answers/) });
  });
});
