import { type Parsed, refused } from '../config/problem.ts';
import { DEMO_PORT } from '../demo/demo-port.ts';
import type { Flag } from '../flags.ts';
import { type GivenSettings, oneText } from './given-settings.ts';

/** Where configuration comes from, beside what the API writes. */
export type ConfigurationSource =
  /** The embedded demo, whose data centers listen on this port of their loopback addresses. */
  | { readonly kind: 'demo'; readonly port: number }
  | { readonly kind: 'directory'; readonly directory: string }
  /** The API alone. */
  | { readonly kind: 'none' };

const configFlag: Flag = {
  name: 'config',
  value: 'DIR',
  variable: 'MERIDIAN_CONFIG',
  summary:
    'Configuration directory; "none" leaves everything to the API. Without this flag, the embedded demo runs, and on a node that is or was in a cluster, "none".',
};

const demoPortFlag: Flag = {
  name: 'demo-port',
  value: 'PORT',
  variable: 'MERIDIAN_DEMO_PORT',
  summary: `Port of the demo's data centers, each on a loopback address of its own. Default: ${DEMO_PORT}`,
};

export const configurationFlags: readonly Flag[] = [configFlag, demoPortFlag];

export function parseConfigurationSource(given: GivenSettings): Parsed<ConfigurationSource> {
  const directory = oneText(configFlag, given);
  if (!directory.ok) return directory;
  if (directory.value === 'none') return { ok: true, value: { kind: 'none' } };
  if (directory.value !== undefined)
    return { ok: true, value: { kind: 'directory', directory: directory.value } };
  const port = oneText(demoPortFlag, given);
  if (!port.ok) return port;
  const number = Number(port.value ?? DEMO_PORT);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    return refused('bad-port', '--demo-port', `--demo-port: "${port.value}" is not a port from 1 to 65535.`);
  return { ok: true, value: { kind: 'demo', port: number } };
}
