import type { Problem } from '../../config/problem.ts';
import { MAJORITY } from '../../config/resources/quorum.ts';
import { isCutOff } from '../consensus.ts';
import type { VantageSight } from '../endpoint-health.ts';
import type { Entry } from './board-entry.ts';
import { reasonOf, type Telling } from './tell-entry.ts';

/** Endpoints that one sentence names; a pool may have a thousand. */
const MAX_NAMED = 3;

/** What the operator should look at: a node cut off, suspect vantages, missing quorums, guard rails that hold something. */
export function boardProblems(
  entries: Iterable<Entry>,
  vantages: readonly VantageSight[],
  telling: Telling,
): readonly Problem[] {
  const undecided = new Map<string, Entry[]>();
  const held = new Map<string, Entry[]>();
  for (const entry of entries) {
    if (isUndecided(entry, telling)) addTo(undecided, entry);
    if (entry.held !== undefined) addTo(held, entry);
  }
  const away = vantages.flatMap((sight) => (sight.away ? sight.vantage : []));
  return [
    ...(isCutOffNow(vantages) ? [cutOffProblem(away, vantages.length)] : []),
    ...vantages.filter(({ suspect }) => suspect).map(suspectProblem),
    ...Array.from(undecided, ([pool, members]) => quorumProblem(pool, members, vantages)),
    ...Array.from(held, ([pool, members]) => railProblem(pool, members, telling)),
  ];
}

function addTo(groups: Map<string, Entry[]>, entry: Entry): void {
  const { pool } = entry.definition;
  const group = groups.get(pool);
  if (group === undefined) groups.set(pool, [entry]);
  else group.push(entry);
}

/** Only what was heard of before: at a start nothing has a quorum, and readiness tells that. */
function isUndecided({ definition: { check }, probed }: Entry, { tallyOf }: Telling): boolean {
  if (check === undefined || probed.basis === 'quorum') return false;
  return check.sources.some(({ key }) => (tallyOf(key)?.seen.size ?? 0) > 0 && isDecided(key, tallyOf));
}

/** A vantage that has not made up its mind yet lacks no quorum. */
function isDecided(key: string, tallyOf: Telling['tallyOf']): boolean {
  for (const { observation } of tallyOf(key)?.seen.values() ?? [])
    if (observation.verdict !== 'unknown') return true;
  return false;
}

function suspectProblem({ vantage, up, down }: VantageSight): Problem {
  return {
    code: 'suspect-vantage',
    path: `vantages/${vantage}`,
    message: `The vantage ${vantage} says down of ${down} of ${up + down} endpoints while others see most of theirs up, so it has no vote; look at its network.`,
  };
}

function isCutOffNow(vantages: readonly VantageSight[]): boolean {
  const seats = vantages.map(({ vantage, region, away }) => ({
    name: vantage,
    region,
    away: away ? (true as const) : undefined,
  }));
  return isCutOff(MAJORITY, seats);
}

function cutOffProblem(away: readonly string[], nodes: number): Problem {
  const reached = nodes - away.length;
  const few = reached === 1 ? 'no other node' : `only ${reached} of the ${nodes} nodes, itself counted`;
  const more = away.length > MAX_NAMED ? ` and ${away.length - MAX_NAMED} more` : '';
  return {
    code: 'cut-off',
    path: 'vantages',
    message: `This node is in touch with ${few} of the cluster, too few to decide: it goes on answering by the last verdicts it knew, and moves nothing by itself. Not reached: ${away.slice(0, MAX_NAMED).join(', ')}${more}. Look at the network between the nodes, or whether those run; overrides set here still hold here.`,
  };
}

function quorumProblem(pool: string, members: readonly Entry[], vantages: readonly VantageSight[]): Problem {
  const seats = vantages.length;
  const away = vantages.flatMap((sight) => (sight.away ? sight.vantage : []));
  const silent = away.length === 0 ? '' : ` (not reached: ${away.slice(0, MAX_NAMED).join(', ')})`;
  const stays = `what held before stays, until enough of the vantages that should vote agree${silent}`;
  return {
    code: 'no-quorum',
    path: `pools/${pool}`,
    message: `The vantages have no quorum on ${names(members)}; ${seats === 1 ? 'its probes have not reported lately, and what held before stays' : stays}.`,
  };
}

function railProblem(pool: string, members: readonly Entry[], telling: Telling): Problem {
  const [first] = members;
  const reason = first === undefined ? '' : reasonOf(first, telling);
  return {
    code: 'guard-rail',
    path: `pools/${pool}/guardRails`,
    message: `${names(members)} stay in service against what probes or overrides say. ${reason}`,
  };
}

function names(members: readonly Entry[]): string {
  const named = members.slice(0, MAX_NAMED).map(({ definition }) => definition.key);
  const more = members.length - named.length;
  return more > 0 ? `${named.join(', ')} and ${more} more` : named.join(', ');
}
