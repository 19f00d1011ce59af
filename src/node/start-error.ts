import type { Problem } from '../config/problem.ts';

/** What an operator has to mend before the node can start. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ message }) => message).join('\n'));
    this.problems = problems;
  }
}
