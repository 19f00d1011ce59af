import type { Problem } from './problem.ts';

/** One line for people: `meridian.yaml:12: pools/web/endpoints/fra-v4: The endpoint ...`. */
export function formatProblem(problem: Problem): string {
  const place = problem.source === undefined ? '' : `${problem.source.file}:${problem.source.line}: `;
  // A mistake in a file as a whole has the file as its path; once is enough.
  const path = problem.path === '' || problem.path === problem.source?.file ? '' : `${problem.path}: `;
  return `${place}${path}${problem.message}`;
}

/** One line per problem, in the order of files and lines; those without a file come last. */
export function formatProblems(problems: readonly Problem[]): string {
  return [...problems].sort(byPlace).map(formatProblem).join('\n');
}

function byPlace(a: Problem, b: Problem): number {
  if (a.source === undefined || b.source === undefined) {
    return Number(a.source === undefined) - Number(b.source === undefined);
  }
  if (a.source.file !== b.source.file) return a.source.file < b.source.file ? -1 : 1;
  return a.source.line - b.source.line;
}
