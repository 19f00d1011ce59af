import { setTimeout as delay } from 'node:timers/promises';
import { CommandError } from '../command.ts';
import { digText } from './demo-guide.ts';
import { apiUrl, type DemoNode, type DemoPorts, demoNodes } from './demo-node.ts';
import { DEMO_ZONE, type NodeApi } from './node-api.ts';
import type { DemoSurroundings } from './run-demo-line.ts';

const NAME = `conflict.${DEMO_ZONE}`;

/** Nodes dial again after growing waits of some seconds. */
const LOOK_LIMIT_MS = 30_000;
const LOOK_PAUSE_MS = 100;

/** Two writes of one name that know nothing of each other, and how to see and end what comes of it. */
export async function makeConflict({ cluster, ports, out }: DemoSurroundings): Promise<readonly string[]> {
  const [one, , other] = demoNodes;
  const needed = cluster.state().filter(({ node }) => node.name === one.name || node.name === other.name);
  for (const { node, pid, isCut } of needed) {
    if (pid === undefined) throw new CommandError(`${node.name} does not run; first: start ${node.name}`);
    if (isCut) throw new CommandError(`${node.name} is cut off; first: heal ${node.name}`);
  }
  const here = cluster.api(one.name);
  const there = cluster.api(other.name);
  // Anew every time, so that what is there of an earlier one is resolved by this write.
  const before = `before-${Date.now()}`;
  await here.writeText(NAME, before, 'both know this');
  await lookUntil(
    `${other.name} knows what ${one.name} wrote`,
    async () => (await there.text(NAME)) === before,
  );
  cluster.cut(other.name);
  try {
    await lookUntil(`${one.name} notices the cut`, () => isApart(here, other.name));
    await Promise.all([
      here.writeText(NAME, `from-${one.name}`, 'written while apart'),
      there.writeText(NAME, `from-${other.name}`, 'written while apart'),
    ]);
    out(`${other.name} was cut off, and ${NAME} TXT was written on both sides:`);
    out(`  ${one.name} says "${await here.text(NAME)}", ${other.name} says "${await there.text(NAME)}"`);
  } finally {
    cluster.heal(other.name);
  }
  await lookUntil('both tell the conflict', async () => {
    const known = await Promise.all([conflictOf(here), conflictOf(there)]);
    return known.every((conflict) => conflict !== undefined);
  });
  await lookUntil('both answer alike', async () => (await here.text(NAME)) === (await there.text(NAME)));
  const told = `${other.name} is healed: both say "${await here.text(NAME)}" now, and keep the other value until somebody chooses.`;
  return [told, ...choiceLines(await conflictOf(there), other, ports)];
}

type Conflict = Awaited<ReturnType<NodeApi['conflicts']>>['items'][number];

/** Ready to be copied, on any node. */
function choiceLines(conflict: Conflict | undefined, node: DemoNode, ports: DemoPorts): readonly string[] {
  const command = `npm run --silent meridian -- conflicts --api ${apiUrl(node, ports)}`;
  const choices = (conflict?.values ?? []).map(
    ({ choice, counts }) =>
      `  ${command} '${conflict?.id}' --choose '${choice}'${counts ? '    # what it is now' : ''}`,
  );
  return [`  ${digText(node, ports, `${NAME} TXT`)}`, `  ${command}`, ...choices];
}

async function isApart(api: NodeApi, name: string): Promise<boolean> {
  const { members } = await api.members();
  return members.some((member) => member.name === name && member.state !== 'up');
}

async function conflictOf(api: NodeApi): Promise<Conflict | undefined> {
  const { items } = await api.conflicts();
  return items.find(({ id }) => id.includes(NAME));
}

async function lookUntil(what: string, holds: () => Promise<boolean>): Promise<void> {
  const endMs = performance.now() + LOOK_LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new CommandError(`given up: not seen within 30 seconds: ${what}`);
    await delay(LOOK_PAUSE_MS);
  }
}
