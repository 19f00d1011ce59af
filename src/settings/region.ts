import { type Parsed, parsed, refused } from '../config/problem.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

export const regionFlag: Flag = {
  name: 'region',
  value: 'NAME',
  variable: 'MERIDIAN_REGION',
  summary: 'Where this node stands: the region that the quorum rules of monitors may weigh. Default: none.',
};

/** As names of resources are, because monitors name regions. */
const REGION = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Empty where the node is not told. */
export function parseRegion(given: GivenSettings): Parsed<string> {
  const text = oneText(regionFlag, given);
  if (!text.ok) return text;
  const region = text.value ?? '';
  if (region === '' || REGION.test(region)) return parsed(region);
  return refused(
    'bad-region',
    '--region',
    `--region is ${JSON.stringify(region.slice(0, 80))}; a region is 1 to 63 lower case letters, digits or hyphens.`,
  );
}
