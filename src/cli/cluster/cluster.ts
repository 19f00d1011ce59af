import { didYouMean } from '../../config/did-you-mean.ts';
import { demoClusterCommand } from '../cluster-demo/demo-cluster-command.ts';
import { type CommandBody, CommandError, EXIT_USAGE } from '../command.ts';
import { initCommand } from './cluster-init.ts';
import { joinCommand } from './cluster-join.ts';
import { inviteCommand, leaveCommand, removeCommand, rotateCommand } from './cluster-operations.ts';
import { clusterStatusCommand } from './cluster-status.ts';

/** One verb of `meridian cluster`. */
interface ClusterVerb {
  readonly name: string;
  readonly synopsis: string;
  readonly summary: string;
  readonly body: CommandBody;
}

const verbs: readonly ClusterVerb[] = [
  {
    name: 'init',
    synopsis: '--name NAME --region NAME --listen HOST:PORT',
    summary: 'Make a cluster, with the node of this data directory as its first. The node must not run.',
    body: initCommand,
  },
  {
    name: 'invite',
    synopsis: '[--expires 1h]',
    summary: 'Print a token with which one machine can join, once.',
    body: inviteCommand,
  },
  {
    name: 'join',
    synopsis: 'TOKEN --name NAME --region NAME --listen HOST:PORT',
    summary:
      'Make this machine a node of the cluster that the token names. A dash reads the token from standard input.',
    body: joinCommand,
  },
  {
    name: 'leave',
    synopsis: '',
    summary: 'Take the running node out of its cluster; it goes on alone.',
    body: leaveCommand,
  },
  {
    name: 'remove',
    synopsis: 'NAME',
    summary: 'Take another node out of the cluster: its certificates count no more.',
    body: removeCommand,
  },
  {
    name: 'rotate',
    synopsis: '',
    summary: 'Give the running node a new key and certificate, without an interruption.',
    body: rotateCommand,
  },
  {
    name: 'status',
    synopsis: '',
    summary: 'Show every node of the cluster as the running node sees it.',
    body: clusterStatusCommand,
  },
  {
    name: 'demo',
    synopsis: '[--fresh]',
    summary: 'Run a cluster of three nodes on this machine, to write, cut, kill and look.',
    body: demoClusterCommand,
  },
];

export const clusterCommand: CommandBody = {
  usage: () => verbs.map((verb) => `${titleOf(verb)}\n${verb.summary}\n\n${verb.body.usage()}`).join('\n\n'),
  run: async (argv, terminal) => {
    const [word, ...rest] = argv;
    const names = verbs.map(({ name }) => name);
    const verb = verbs.find(({ name }) => name === word);
    if (verb !== undefined) return verb.body.run(rest, terminal);
    const hint = word === undefined ? '' : didYouMean(word, names);
    throw new CommandError(
      `say what to do: ${names.join(', ')}.${hint || ' See meridian cluster --help.'}`,
      EXIT_USAGE,
    );
  },
};

function titleOf({ name, synopsis }: ClusterVerb): string {
  return `meridian cluster ${name} ${synopsis}`.trimEnd();
}
