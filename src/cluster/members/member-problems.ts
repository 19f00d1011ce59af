import type { Problem } from '../../config/problem.ts';
import { CLOCK_DIFFERS_MS, type Member } from './member-view.ts';

/** What an operator should know of the members, in the order of their names. Each tells of its own certificate. */
export function memberProblems(members: readonly Member[]): readonly Problem[] {
  return members.flatMap((member) => [...unreachable(member), ...clock(member)]);
}

function unreachable({ name, state, downReason }: Member): readonly Problem[] {
  if (state === 'up') return [];
  const why = downReason === '' ? '' : ` (${downReason})`;
  const seen = state === 'down' ? 'cannot be reached' : 'has not been reached since this node started';
  const message =
    `The node ${name} ${seen}${why}. This node answers and takes writes without it; ` +
    'check that it runs and that its address is reachable, or remove it from the cluster.';
  return [{ code: 'peer-unreachable', path: `nodes/${name}`, message }];
}

function clock({ name, clockAheadMs }: Member): readonly Problem[] {
  if (clockAheadMs === undefined || Math.abs(clockAheadMs) < CLOCK_DIFFERS_MS) return [];
  const seconds = Math.round(Math.abs(clockAheadMs) / 1000);
  const message =
    `The clock of the node ${name} is ${seconds} s ${clockAheadMs > 0 ? 'ahead of' : 'behind'} this node's. ` +
    'Nothing but displayed times and the ends of overrides and windows goes by it; set the clocks.';
  return [{ code: 'clock-differs', path: `nodes/${name}`, message }];
}
