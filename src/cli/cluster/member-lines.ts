import type { z } from 'zod';
import type { clusterMembersSchema } from '../../api/routes/cluster-members.ts';
import { textTable } from '../text-table.ts';

export type ClusterMembers = z.infer<typeof clusterMembersSchema>;

type Member = ClusterMembers['members'][number];

/** A clock that differs by less is within what networks explain. */
const CLOCK_DIFFERS_SECONDS = 5;

/** The nodes as the asked one sees them, one a line, with what is wrong at the end. */
export function memberLines({ clusterId, node, members }: ClusterMembers): readonly string[] {
  const heading = ['node', 'region', 'state', 'since', 'round trip', 'behind', 'serving', 'version', ''];
  return [`cluster ${clusterId}, as ${node} sees it`, ...textTable([heading, ...members.map(rowOf)])];
}

/** Whether nothing has to be done: every node is up and serves, and none has missed anything for long. */
export function isWhole({ members }: ClusterMembers): boolean {
  return members.every(({ state, serving }) => state === 'up' && serving === true);
}

function rowOf(member: Member): readonly string[] {
  const { name, self, region, state, since, roundTripMs, behind, serving, version } = member;
  const isHeard = state === 'up';
  return [
    self ? `${name} (asked)` : name,
    region,
    state,
    since ?? '-',
    roundTripMs === undefined ? '-' : `${roundTripMs.toFixed(1)} ms`,
    isHeard ? behindText(behind) : '?',
    serving === undefined ? '?' : serving ? 'yes' : 'no',
    version ?? '?',
    notesOf(member).join('; '),
  ];
}

function behindText({ documents, since }: Member['behind']): string {
  if (documents === 0) return '-';
  const what = documents === 1 ? '1 document' : `${documents} documents`;
  return since === undefined ? what : `${what} since ${since}`;
}

function notesOf({ role, downReason, reason, withdrawal, clockAheadSeconds = 0 }: Member): readonly string[] {
  const differs = Math.abs(clockAheadSeconds) > CLOCK_DIFFERS_SECONDS;
  return [
    ...(role === 'delayed' ? ['applies configuration an hour late'] : []),
    ...(downReason === undefined ? [] : [downReason]),
    ...(withdrawal === 'taken' ? ['has withdrawn'] : withdrawal === 'wanted' ? ['wants to withdraw'] : []),
    ...(reason === undefined ? [] : [reason]),
    ...(differs ? [`its clock is ${clockText(clockAheadSeconds)}`] : []),
  ];
}

function clockText(aheadSeconds: number): string {
  return `${Math.abs(Math.round(aheadSeconds))} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
}
