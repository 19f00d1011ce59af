import { demoPlaces } from '../../demo/data-centers.ts';
import { memberLines } from '../cluster/member-lines.ts';
import type { DemoCluster } from './demo-cluster.ts';
import { helpLines } from './demo-guide.ts';
import { type DemoPorts, demoNodes } from './demo-node.ts';
import { makeConflict } from './make-conflict.ts';

export interface DemoSurroundings {
  readonly cluster: DemoCluster;
  readonly ports: DemoPorts;
  readonly out: (line: string) => void;
}

type OnName = (name: string, around: DemoSurroundings) => Promise<string>;

const onNodes: Readonly<Record<string, OnName>> = {
  kill: async (name, { cluster }) =>
    (await cluster.kill(name))
      ? `${name} is dead; the others go on. Bring it back: start ${name}`
      : `${name} does not run; start it: start ${name}`,
  start: async (name, { cluster }) =>
    (await cluster.startNode(name)) ? `${name} serves again` : `${name} runs already`,
  cut: async (name, { cluster }) => {
    cluster.cut(name);
    return `${name} is cut off from the other nodes; it answers and takes writes all the same. Mend it: heal ${name}`;
  },
  heal: async (name, { cluster }) => {
    cluster.heal(name);
    return `${name} reaches the others again; they exchange what they missed within seconds`;
  },
};

const onDataCenters: Readonly<Record<string, OnName>> = {
  break: async (name, { cluster }) => {
    await cluster.breakDataCenter(name);
    return `the data center ${name} is broken: within seconds no node answers with it`;
  },
  mend: async (name, { cluster }) => {
    await cluster.mendDataCenter(name);
    return `the data center ${name} works again`;
  },
};

/** Runs one line of what was typed; `end` when that was asked for. */
export async function runDemoLine(line: string, around: DemoSurroundings): Promise<'go on' | 'end'> {
  const [word = '', name, ...more] = line.trim().split(/\s+/);
  if (word === 'quit' || word === 'exit') return 'end';
  const told = await answerOf(word, more.length > 0 ? undefined : name, around);
  for (const text of told) around.out(text);
  return 'go on';
}

async function answerOf(
  word: string,
  name: string | undefined,
  around: DemoSurroundings,
): Promise<readonly string[]> {
  if (word === '') return [];
  if (word === 'help') return helpLines();
  if (word === 'status') return statusLines(around.cluster);
  if (word === 'conflict') return makeConflict(around);
  for (const [table, names] of [
    [onNodes, demoNodes.map((node) => node.name)],
    [onDataCenters, demoPlaces.map((place) => place.name)],
  ] as const) {
    const act = Object.hasOwn(table, word) ? table[word] : undefined;
    if (act === undefined) continue;
    if (name === undefined || !names.some((one) => one === name))
      return [`say which: ${names.map((one) => `${word} ${one}`).join(', ')}`];
    return [await act(name, around)];
  }
  return [`"${word.slice(0, 40)}" is not a command here`, ...helpLines()];
}

async function statusLines(cluster: DemoCluster): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { node, pid, isCut } of cluster.state()) {
    if (pid === undefined) {
      lines.push(`${node.name} does not run`, '');
      continue;
    }
    lines.push(`${node.name}: process ${pid}${isCut ? ', cut off' : ''}`);
    lines.push(...memberLines(await cluster.api(node.name).members()).map((line) => `  ${line}`), '');
  }
  return lines;
}
