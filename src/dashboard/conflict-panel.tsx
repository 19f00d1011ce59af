import type { JSX } from 'preact';
import { now } from './live.ts';
import {
  type ConflictValueView,
  type ConflictView,
  choiceProblem,
  chooseValue,
  cluster,
  conflicts,
} from './live-cluster.ts';
import { formatAge } from './view.ts';

/** As many as fit; who has more resolves these first. */
const SHOWN_CONFLICTS = 20;

/** What was written on several nodes that did not know of each other, and the choice between. */
export function ConflictPanel(): JSX.Element | null {
  const { total, items } = conflicts.value;
  if (cluster.value === undefined && total === 0) return null;
  return (
    <section class={total === 0 ? 'panel' : 'panel notice'} data-conflicts={total}>
      <h2>Conflicts</h2>
      {total === 0 ? (
        <p class="quiet">No two nodes were told different things.</p>
      ) : (
        <p>
          {total === 1 ? 'One thing was' : `${total} things were`} written on several nodes that did not know
          of each other. All nodes use the same value meanwhile; nothing is lost until somebody chooses.
        </p>
      )}
      {choiceProblem.value !== '' && (
        <p class="verdict-down trouble" role="alert">
          {choiceProblem.value}
        </p>
      )}
      {items.slice(0, SHOWN_CONFLICTS).map((conflict) => (
        <ConflictCard key={conflict.id} conflict={conflict} />
      ))}
      {total > SHOWN_CONFLICTS && (
        <p class="quiet">
          and {total - SHOWN_CONFLICTS} more: <code>meridian conflicts</code>
        </p>
      )}
    </section>
  );
}

function ConflictCard({ conflict: { id, values } }: { readonly conflict: ConflictView }): JSX.Element {
  return (
    <article class="conflict" data-conflict={id}>
      <div>
        <code>{id}</code>
      </div>
      {values.map((value) => (
        <ConflictValue key={value.choice} id={id} value={value} />
      ))}
    </article>
  );
}

function ConflictValue({
  id,
  value,
}: {
  readonly id: string;
  readonly value: ConflictValueView;
}): JSX.Element {
  const { choice, counts, author, node, updatedAt, reason } = value;
  const text = textOf(value);
  function choose(): void {
    if (window.confirm(`Write this over ${id}, on every node?\n\n${text}`)) void chooseValue(id, choice);
  }
  return (
    <div class="conflict-value" data-choice={choice} data-counts={counts}>
      <button type="button" onClick={choose}>
        {counts ? 'Keep this' : 'Use this'}
      </button>
      <div class="conflict-text">
        <code>{text}</code> {counts && <span class="badge verdict-up">in use</span>}
        <div class="quiet" title={updatedAt}>
          {author} on {node ?? 'an unknown node'}, {formatAge(Date.parse(updatedAt), now.value)} ago
          {reason === '' ? '' : `: ${reason}`}
        </div>
      </div>
    </div>
  );
}

function textOf({ deleted, value, rrsets }: ConflictValueView): string {
  if (deleted) return 'deleted';
  return JSON.stringify(value ?? rrsets ?? null);
}
