import type { Flag } from '../flags.ts';

export const protectionFlag: Flag = {
  name: 'protection',
  value: 'FILE',
  variable: 'MERIDIAN_PROTECTION',
  summary:
    'YAML file with DNS cookies, rate limit, access list and answer size; see docs/protection.md. Default: cookies only.',
};
