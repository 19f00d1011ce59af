import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects this thread's garbage before it returns: `minor` only what was made of late. */
export type Collect = (options: { readonly type: 'major' | 'minor' }) => void;

/** The collector of the calling thread, which Node shows only to those who ask for it. */
export function openCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}
