import type { z } from 'zod';
import { clusterSettingsSchema, isUnspecified } from '../../cluster/identity/cluster-settings.ts';
import { parseBody } from '../../config/contract.ts';
import type { Problem } from '../../config/problem.ts';
import type { Arguments, Flag } from '../../flags.ts';
import { type Terminal, usageError } from '../command.ts';

export const dataFlag: Flag = {
  name: 'data',
  value: 'DIR',
  variable: 'MERIDIAN_DATA',
  summary: 'Data directory of the node. Default: ./data',
};

/** What both the first node and those that join are told of themselves. */
export const newNodeFlags: readonly Flag[] = [
  {
    name: 'name',
    value: 'NAME',
    variable: undefined,
    summary: "The node's name in the cluster: lower case letters, digits and hyphens. It stays.",
  },
  {
    name: 'region',
    value: 'NAME',
    variable: 'MERIDIAN_REGION',
    summary: 'Where the node stands, such as eu-central.',
  },
  {
    name: 'listen',
    value: 'HOST:PORT',
    variable: undefined,
    summary: 'Where the node listens for its peers. An IPv6 address stands in brackets.',
  },
  {
    name: 'advertise',
    value: 'HOST:PORT',
    variable: undefined,
    summary:
      'Where peers reach it, where that is another address; repeat it for several. Needed when it listens on all.',
  },
  {
    name: 'role',
    value: 'ROLE',
    variable: undefined,
    summary: '"full", or "delayed" for a node that applies configuration an hour late, as a last resort.',
  },
  dataFlag,
];

const newNodeSchema = clusterSettingsSchema.pick({
  name: true,
  region: true,
  role: true,
  listen: true,
  advertise: true,
});

export type NewNodeFlags = z.infer<typeof newNodeSchema>;

/** Reads what the flags say of a new node; every mistake at once, each with its flag. */
export function newNodeOf(given: Arguments, env: Terminal['env']): NewNodeFlags {
  const one = (name: string): string | undefined => given.values.get(name)?.at(-1);
  const value = {
    name: one('name'),
    region: one('region') ?? (env.MERIDIAN_REGION || undefined),
    listen: one('listen'),
    role: one('role'),
    advertise: [...(given.values.get('advertise') ?? [])],
  };
  const missing = (['name', 'region', 'listen'] as const).filter((name) => value[name] === undefined);
  const problems: Problem[] = [...given.problems, ...missing.map(neededFlag)];
  const read = parseBody(newNodeSchema.partial({ name: true, region: true, listen: true }), value, '-');
  if (!read.ok) problems.push(...read.problems.map(withFlag));
  else if (value.listen !== undefined && isUnspecified(value.listen) && value.advertise.length === 0)
    problems.push({
      code: 'advertise-needed',
      path: '--advertise',
      message: `--listen ${value.listen} is every address of this machine; say with --advertise which of them peers reach.`,
    });
  if (problems.length > 0) throw usageError(problems);
  return newNodeSchema.parse(value);
}

export function dataDirectoryOf(given: Arguments, env: Terminal['env']): string {
  return given.values.get(dataFlag.name)?.at(-1) ?? (env.MERIDIAN_DATA || './data');
}

/** The problems of a schema say what a value must be; the flag says which. */
export function withFlag(problem: Problem): Problem {
  const flag = `--${problem.path.split('/')[1] ?? ''}`;
  return { ...problem, path: flag, message: `${flag}: ${problem.message}` };
}

function neededFlag(name: string): Problem {
  return { code: 'flag-needed', path: `--${name}`, message: `--${name} is needed.` };
}
