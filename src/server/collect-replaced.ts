import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** Collects this thread's garbage before it returns: `minor` only what was made of late. */
export type Collect = (options: { readonly type: 'major' | 'minor' }) => void;

export function openCollector(): Collect {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as Collect;
}

/**
 * Gives a function that frees the images which a newer snapshot has replaced.
 *
 * Images are shared memory, of which the collector counts nothing: to it a map of 40 MB is an object of a hundred
 * octets. A worker that allocates nothing per query would hardly ever collect, and every replaced image would stay.
 * Each snapshot comes as new objects, so those of the one before are still young, and a collection of the young ones
 * finds them in well under a millisecond. Only those of the first snapshot have grown old while the worker started.
 */
export function createCollectReplaced(): () => void {
  const collect = openCollector();
  let type: 'major' | 'minor' = 'major';
  return () => {
    collect({ type });
    type = 'minor';
  };
}
