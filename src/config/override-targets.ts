import { globMatcher, type Matcher } from './glob.ts';
import type { OverrideTarget } from './resources/override.ts';

/** What an override may name of an endpoint. */
export interface OverrideSubject {
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
}

/** Says of endpoints whether an override with this target is about them. */
export function aboutTarget(target: OverrideTarget): (subject: OverrideSubject) => boolean {
  switch (target.kind) {
    case 'endpoint':
      return ({ pool, endpoint }) => target.pool === pool && target.endpoint === endpoint;
    case 'pool':
      return ({ pool }) => target.pool === pool;
    case 'data-center':
      return ({ dataCenter }) => target.dataCenter === dataCenter;
    case 'glob': {
      const [poolGlob = '', endpointGlob = ''] = target.pattern.split('/');
      const isPool = remembering(globMatcher(poolGlob));
      const isEndpoint = globMatcher(endpointGlob);
      const isPlace =
        target.dataCenter === undefined ? undefined : remembering(globMatcher(target.dataCenter));
      return ({ pool, endpoint, dataCenter }) =>
        isPool(pool) && (isPlace === undefined || isPlace(dataCenter)) && isEndpoint(endpoint);
    }
  }
}

/** The endpoints of a pool come one after the other, and many are in one data center. */
function remembering(matches: Matcher): Matcher {
  let last: string | undefined;
  let lastMatched = false;
  return (name) => {
    if (name !== last) {
      last = name;
      lastMatched = matches(name);
    }
    return lastMatched;
  };
}
