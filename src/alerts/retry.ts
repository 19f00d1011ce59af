import type { Delivery } from './delivery.ts';
import type { PostOutcome } from './post-webhook.ts';

const FIRST_WAIT_MS = 1_000;

/** A receiver that is back is told within this. */
export const LONGEST_WAIT_MS = 300_000;

/** What is older is no alert any more; it stays in the history. */
export const GIVE_UP_AFTER_MS = 86_400_000;

/** A delivery after an attempt; `draw`, 0 to 1, spreads attempts, so that nodes do not come back all at once. */
export function afterAttempt(
  delivery: Delivery,
  outcome: PostOutcome,
  nowMs: number,
  draw: number,
): Delivery {
  const attempts = delivery.attempts + 1;
  const tried: Delivery = { ...delivery, attempts, status: outcome.status };
  switch (outcome.kind) {
    case 'taken':
      return { ...tried, state: 'delivered', error: undefined, finishedAtMs: nowMs };
    case 'refused':
      return { ...tried, state: 'failed', error: outcome.error, finishedAtMs: nowMs };
    case 'try-again': {
      const { error } = outcome;
      if (nowMs - delivery.createdAtMs >= GIVE_UP_AFTER_MS)
        return { ...tried, state: 'failed', error: `${error}; given up`, finishedAtMs: nowMs };
      const dueAtMs = nowMs + waitMs(attempts, draw, outcome.afterMs);
      return { ...tried, state: 'waiting', error, dueAtMs };
    }
  }
}

/** Doubles from attempt to attempt; half of it is drawn. What the receiver asks for is kept, within bounds. */
function waitMs(attempts: number, draw: number, askedMs: number | undefined): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(attempts - 1, 20));
  const drawn = longest / 2 + (longest / 2) * draw;
  return Math.max(drawn, Math.min(LONGEST_WAIT_MS, askedMs ?? 0));
}
