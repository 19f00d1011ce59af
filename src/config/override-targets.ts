import { matchesGlob } from './glob.ts';
import type { OverrideTarget } from './resources/override.ts';

/** What an override may name of an endpoint. */
export interface OverrideSubject {
  readonly pool: string;
  readonly endpoint: string;
  readonly dataCenter: string;
}

/** Whether an override with this target is about the endpoint. */
export function isAbout(target: OverrideTarget, subject: OverrideSubject): boolean {
  switch (target.kind) {
    case 'endpoint':
      return target.pool === subject.pool && target.endpoint === subject.endpoint;
    case 'pool':
      return target.pool === subject.pool;
    case 'data-center':
      return target.dataCenter === subject.dataCenter;
    case 'glob':
      return (
        (target.dataCenter === undefined || matchesGlob(target.dataCenter, subject.dataCenter)) &&
        matchesGlob(target.pattern, `${subject.pool}/${subject.endpoint}`)
      );
  }
}
