import { reasonOf } from '../../config/problem.ts';

/** A store that a failed successor still holds is free when the system has ended that process. */
const FIRST_PAUSE_MS = 500;
/** What is still in the way after a minute waits for a person, who is not kept waiting for long. */
const MAX_PAUSE_MS = 10_000;

interface Opening {
  open(): Promise<unknown>;
  /** Whether there is still a reason to open. */
  wanted(): boolean;
  pause(milliseconds: number): Promise<unknown>;
  /** Called with an error that is not the one of the try before. */
  onError(error: unknown): void;
}

/** Tries until it is open or no longer wanted, ever more slowly. Never rejects. */
export async function openAgain({ open, wanted, pause, onError }: Opening): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS;
  let told: string | undefined;
  while (wanted()) {
    try {
      await open();
      return;
    } catch (error) {
      const message = reasonOf(error);
      if (message !== told) onError(error);
      told = message;
    }
    await pause(pauseMs);
    pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
  }
}
