import { parseName } from '../../dns/name.ts';
import type { Owner } from '../model.ts';
import { type CheckScope, report } from './scope.ts';

/** Reports a domain name that has no wire form: a label or the whole too long, or a bad escape. */
export function checkDomainName(scope: CheckScope, owner: Owner, path: string, name: string): boolean {
  const parsed = parseName(name);
  if (parsed.ok) return true;
  for (const problem of parsed.problems) report(scope, owner, problem.code, path, problem.message);
  return false;
}
