import type { JSX } from 'preact';
import { now } from './live.ts';
import { cluster, type MemberView } from './live-cluster.ts';
import { formatAge, type MemberTrouble, troubleOf } from './view.ts';

const DAY_MS = 86_400_000;

/** The nodes of the cluster: first in a sentence what is wrong, then each with what is known of it. */
export function ClusterPanel(): JSX.Element | null {
  const view = cluster.value;
  if (view === undefined) return null;
  const { node, members } = view;
  const troubled = members.filter((member) => troubleOf(member, now.value).severity !== 'none');
  return (
    <section class="panel" data-cluster={members.length}>
      <h2>
        Cluster{' '}
        <span
          class={`badge ${troubled.length === 0 ? 'verdict-up' : 'verdict-down'}`}
          data-cluster-summary=""
        >
          {troubled.length === 0
            ? members.length === 1
              ? 'one node, and it is well'
              : `all ${members.length} nodes are well`
            : `look at ${troubled.map(({ name }) => name).join(', ')}`}
        </span>{' '}
        <span class="quiet">as {node} sees it</span>
      </h2>
      <div class="members">
        {members.map((member) => (
          <MemberCard key={member.name} member={member} />
        ))}
      </div>
    </section>
  );
}

const classOf: Readonly<Record<MemberTrouble['severity'], string>> = {
  none: 'verdict-up',
  some: 'verdict-unknown',
  severe: 'verdict-down',
};

function MemberCard({ member }: { readonly member: MemberView }): JSX.Element {
  const { name, self, region, role, state, since } = member;
  const { severity, sentences } = troubleOf(member, now.value);
  return (
    <article class={`member ${classOf[severity]}`} data-member={name} data-state={state}>
      <div>
        <span class="badge">{state === 'never-seen' ? 'never seen' : state}</span> <strong>{name}</strong>{' '}
        <span class="quiet">
          {region}
          {self && ' · this node'}
          {role === 'delayed' && ' · delayed'}
          {since !== undefined && <span title={since}> · for {formatAge(Date.parse(since), now.value)}</span>}
        </span>
      </div>
      {sentences.map((sentence) => (
        <div key={sentence} class="trouble">
          {sentence}
        </div>
      ))}
      {state === 'up' && <Facts member={member} />}
    </article>
  );
}

/** What is well is told, too, but quietly. */
function Facts({ member }: { readonly member: MemberView }): JSX.Element {
  const { self, serving, roundTripMs, behind, version, certificateExpiresAt, clockAheadSeconds } = member;
  const facts = [
    ['serving', serving === undefined ? 'not heard yet' : serving ? 'yes' : 'no'],
    ...(self ? [] : [['behind', behind.documents === 0 ? 'nothing' : documentsOf(behind.documents)]]),
    ...(self
      ? []
      : [['round trip', roundTripMs === undefined ? 'not measured yet' : millisecondsOf(roundTripMs)]]),
    ['version', version ?? 'not heard yet'],
    ['certificate', certificateExpiresAt === undefined ? 'unknown' : daysOf(certificateExpiresAt)],
    ...(self || clockAheadSeconds === undefined ? [] : [['clock', clockOf(clockAheadSeconds)]]),
  ] as const;
  return (
    <dl>
      {facts.map(([term, text]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{text}</dd>
        </div>
      ))}
    </dl>
  );
}

function documentsOf(count: number): string {
  return count === 1 ? '1 document' : `${count} documents`;
}

function millisecondsOf(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}

function daysOf(at: string): string {
  const days = Math.floor((Date.parse(at) - now.value) / DAY_MS);
  return days < 0 ? 'has ended' : `${days} days`;
}

function clockOf(aheadSeconds: number): string {
  const seconds = Math.abs(aheadSeconds);
  if (seconds < 1) return 'alike';
  return `${Math.round(seconds)} s ${aheadSeconds > 0 ? 'ahead' : 'behind'}`;
}
