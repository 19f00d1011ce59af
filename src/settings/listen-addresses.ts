import { type Parsed, type Problem, refused } from '../config/problem.ts';
import { formatAddress, normalise, parseAddress } from '../dns/address.ts';
import type { Flag } from '../flags.ts';
import { formatListenAddress, type ListenAddress } from '../server/listen-address.ts';
import { allTexts, type GivenSettings } from './given-settings.ts';

const DEFAULT_DNS = '127.0.0.1:5300';
const DEFAULT_API = '127.0.0.1:8053';
/** Where an address comes without a port. */
const DNS_PORT = 53;
const API_PORT = 8053;

/** Of each kind, DNS and API; more than any machine has use for. `native/tcp.h` and `native/udp.h` have room for them. */
export const MAX_LISTEN_ADDRESSES = 64;

const dnsFlag: Flag = {
  name: 'dns',
  value: 'ADDRESS:PORT',
  variable: 'MERIDIAN_DNS',
  summary: `Where to serve DNS, over UDP and TCP; repeat it or separate by commas. Default: ${DEFAULT_DNS}; port ${DNS_PORT} where none is given.`,
};

const apiFlag: Flag = {
  name: 'api',
  value: 'ADDRESS:PORT',
  variable: 'MERIDIAN_API',
  summary: `Where to serve the API and the dashboard; repeat it or separate by commas. Default: ${DEFAULT_API}; port ${API_PORT} where none is given.`,
};

export const listenFlags: readonly Flag[] = [dnsFlag, apiFlag];

export function parseDnsAddresses(given: GivenSettings): Parsed<ListenAddress[]> {
  return parseListenAddresses(dnsFlag, given, DEFAULT_DNS, DNS_PORT);
}

export function parseApiAddresses(given: GivenSettings): Parsed<ListenAddress[]> {
  return parseListenAddresses(apiFlag, given, DEFAULT_API, API_PORT);
}

export function isLoopback({ address }: ListenAddress): boolean {
  const parsed = parseAddress(address);
  if (parsed === undefined) return false;
  const { family, octets } = normalise(parsed);
  return family === 4 ? octets[0] === 127 : formatAddress(octets) === '::1';
}

function parseListenAddresses(
  flag: Flag,
  given: GivenSettings,
  otherwise: string,
  defaultPort: number,
): Parsed<ListenAddress[]> {
  const texts = allTexts(flag, given, 'split flags', otherwise);
  const addresses: ListenAddress[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const { text, path } of texts) {
    const result = parseListenAddress(text, defaultPort, path);
    if (!result.ok) {
      problems.push(...result.problems);
      continue;
    }
    const formatted = formatListenAddress(result.value);
    if (seen.has(formatted) && result.value.port !== 0)
      problems.push({ code: 'duplicate-address', path, message: `${path}: ${formatted} is given twice.` });
    seen.add(formatted);
    addresses.push(result.value);
  }
  const path = texts[0]?.path ?? '';
  if (addresses.length > MAX_LISTEN_ADDRESSES)
    return refused('too-many-addresses', path, `${path}: at most ${MAX_LISTEN_ADDRESSES} addresses.`);
  if (addresses.length === 0 && problems.length === 0)
    return refused('missing-value', path, 'At least one address is needed.');
  return problems.length === 0 ? { ok: true, value: addresses } : { ok: false, problems };
}

/** `192.0.2.1:53`, `[2001:db8::1]:53.`, or either without the port. */
function parseListenAddress(text: string, defaultPort: number, path: string): Parsed<ListenAddress> {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(text);
  const bracketed = match?.[1];
  const address = parseAddress(bracketed ?? match?.[2] ?? '');
  const port = Number(match?.[3] ?? defaultPort);
  if (match === null || address === undefined || (address.family === 6) !== (bracketed !== undefined))
    return refused('bad-address', path, addressAdvice(text, path));
  if (port > 65_535) return refused('bad-port', path, `${path}: port ${port} is above 65535.`);
  return { ok: true, value: { address: formatAddress(address.octets), port } };
}

function addressAdvice(text: string, path: string): string {
  if (text === 'localhost' || text.startsWith('localhost:'))
    return `${path}: "${text}" is a name; write 127.0.0.1 or [::1].`;
  if (parseAddress(text)?.family === 6) return `${path}: write the IPv6 address in brackets: [${text}].`;
  if (/^:\d+$/.test(text))
    return `${path}: "${text}" lacks an address; for all of them write 0.0.0.0${text} and [::]${text}.`;
  return `${path}: "${text}" is not an address and port such as 192.0.2.1:53 or [2001:db8::1]:53.`;
}
