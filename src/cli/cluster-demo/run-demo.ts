import { createInterface } from 'node:readline';
import type { Terminal } from '../command.ts';
import { DemoCluster } from './demo-cluster.ts';
import { openDemoDirectory } from './demo-directory.ts';
import { demoGuide } from './demo-guide.ts';
import type { DemoPorts } from './demo-node.ts';
import { refuseTakenPorts } from './free-ports.ts';
import { type DemoSurroundings, runDemoLine } from './run-demo-line.ts';

const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the demo cluster until `quit`, the end of the input or a signal; then ends all that it started. */
export async function runDemo(
  directory: string,
  before: 'kept' | 'deleted',
  ports: DemoPorts,
  { out }: Terminal,
): Promise<void> {
  await refuseTakenPorts(ports);
  const lock = await openDemoDirectory(directory, before);
  const cluster = new DemoCluster(directory, ports, (name) =>
    out(`${name} has ended by itself; see ${directory}/${name}.log, and: start ${name}`),
  );
  const told = new AbortController();
  const end = (): void => told.abort();
  for (const signal of ENDING_SIGNALS) process.on(signal, end);
  try {
    out('starting three nodes…');
    await Promise.race([startCluster(cluster), untilAborted(told.signal)]);
    if (told.signal.aborted) return;
    for (const line of demoGuide(ports)) out(line);
    await runLines({ cluster, ports, out }, told.signal);
  } finally {
    out('the cluster stops');
    await cluster.stop();
    lock.release();
    // One that was sent twice must not end this in the middle; from here on nothing is left to put in order.
    for (const signal of ENDING_SIGNALS) process.off(signal, end);
  }
}

async function startCluster(cluster: DemoCluster): Promise<void> {
  await cluster.start();
  await cluster.makeZone();
}

async function runLines(around: DemoSurroundings, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  signal.addEventListener('abort', () => lines.close(), { once: true });
  for await (const line of lines) {
    if (signal.aborted) break;
    const outcome = await Promise.race([runOrTell(line, around), untilAborted(signal)]);
    if (outcome !== 'go on') break;
  }
  // An input that is still read would keep the process.
  lines.close();
  process.stdin.destroy();
}

async function runOrTell(line: string, around: DemoSurroundings): Promise<'go on' | 'end'> {
  try {
    return await runDemoLine(line, around);
  } catch (error) {
    around.out(error instanceof Error ? error.message : String(error));
    return 'go on';
  }
}

function untilAborted(signal: AbortSignal): Promise<'aborted'> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });
}
