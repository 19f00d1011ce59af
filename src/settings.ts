import { didYouMean } from './config/did-you-mean.ts';
import { type Parsed, type Problem, refused } from './config/problem.ts';
import { DEMO_PORT } from './demo/data-centers.ts';
import { formatAddress, normalise, parseAddress } from './dns/address.ts';
import { type Arguments, type Flag, flagsUsage, readArguments, strayWord } from './flags.ts';
import { type LogLevel, logLevels } from './observe/log.ts';
import { formatListenAddress, type ListenAddress } from './server/listen-address.ts';

/** This node's own settings; everything else is configuration, which the store holds. */
export interface Settings {
  readonly configuration: ConfigurationSource;
  readonly dataDirectory: string;
  readonly dns: readonly ListenAddress[];
  readonly api: readonly ListenAddress[];
  /** True when some address of the API is not loopback; a token is then configured, too. */
  readonly apiBeyondLoopback: boolean;
  readonly token: TokenSource;
  /** mmdb files instead of the shipped table; empty for the shipped table. */
  readonly geoFiles: readonly string[];
  /** RFC 5001 name server identifier, at most 64 octets of UTF-8; empty for none. */
  readonly nodeId: string;
  readonly logLevel: LogLevel;
}

/** Where configuration comes from, beside what the API writes. */
type ConfigurationSource =
  /** The embedded demo, whose data centers listen on this port of their loopback addresses. */
  | { readonly kind: 'demo'; readonly port: number }
  | { readonly kind: 'directory'; readonly directory: string }
  /** The API alone. */
  | { readonly kind: 'none' };

/** Where the bearer token of writes comes from. A file is read by whoever starts the node. */
export type TokenSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'file'; readonly file: string };

const DEFAULT_DNS = '127.0.0.1:5300';
const DEFAULT_API = '127.0.0.1:8053';
/** Where an address comes without a port. */
const DNS_PORT = 53;
const API_PORT = 8053;

/** Fits one answer beside everything else, and any host name (64 octets is Linux's own limit for those). */
const MAX_NODE_ID_OCTETS = 64;
/** Shorter tokens can be guessed; 16 characters of hex are 64 bits. */
const MIN_TOKEN_LENGTH = 16;
/** More sockets than any machine has use for. */
const MAX_LISTEN_ADDRESSES = 64;

const serveFlags: readonly Flag[] = [
  {
    name: 'config',
    value: 'DIR',
    variable: 'MERIDIAN_CONFIG',
    summary:
      'Configuration directory; "none" leaves everything to the API. Without this flag, the embedded demo runs.',
  },
  {
    name: 'demo-port',
    value: 'PORT',
    variable: 'MERIDIAN_DEMO_PORT',
    summary: `Port of the demo's data centers, each on a loopback address of its own. Default: ${DEMO_PORT}`,
  },
  {
    name: 'data',
    value: 'DIR',
    variable: 'MERIDIAN_DATA',
    summary: 'Where this node keeps its data. Default: ./data',
  },
  {
    name: 'dns',
    value: 'ADDRESS:PORT',
    variable: 'MERIDIAN_DNS',
    summary: `Where to serve DNS, over UDP and TCP; repeat it or separate by commas. Default: ${DEFAULT_DNS}; port ${DNS_PORT} where none is given.`,
  },
  {
    name: 'api',
    value: 'ADDRESS:PORT',
    variable: 'MERIDIAN_API',
    summary: `Where to serve the API and the dashboard; repeat it or separate by commas. Default: ${DEFAULT_API}; port ${API_PORT} where none is given.`,
  },
  {
    name: 'token-file',
    value: 'FILE',
    variable: 'MERIDIAN_TOKEN_FILE',
    summary:
      'File with the bearer token of writes; MERIDIAN_TOKEN gives the token itself. Required beyond loopback.',
  },
  {
    name: 'geo',
    value: 'FILE',
    variable: 'MERIDIAN_GEO',
    summary: 'An mmdb file instead of the shipped geo table; repeat it to join several (city and ASN).',
  },
  {
    name: 'node-id',
    value: 'TEXT',
    variable: 'MERIDIAN_NODE_ID',
    summary: `Told to who asks for NSID (RFC 5001), up to ${MAX_NODE_ID_OCTETS} octets. Default: the host name; --node-id= tells nothing.`,
  },
  {
    name: 'log-level',
    value: 'LEVEL',
    variable: 'MERIDIAN_LOG_LEVEL',
    summary: `One of ${logLevels.join(', ')}. Default: info`,
  },
];

/** Explains every flag. An IPv6 address stands in brackets. */
export function usage(): string {
  return `${flagsUsage(serveFlags)}\n\nAn IPv6 address stands in brackets: [::1]:53. A flag outranks its variable.`;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Flags outrank the environment, the environment outranks defaults. All problems come at once. */
export function parseSettings(
  argv: readonly string[],
  env: Environment,
  host: { readonly hostname: string },
): Parsed<Settings> {
  const given = readArguments(argv, serveFlags);
  const problems: Problem[] = [...given.problems, ...given.words.map(strayWord)];
  const keep = <T>(result: Parsed<T>, otherwise: T): T => {
    if (result.ok) return result.value;
    problems.push(...result.problems);
    return otherwise;
  };
  const dns = keep(parseListenAddresses(textsOf('dns', given, env, DEFAULT_DNS), DNS_PORT), []);
  const api = keep(parseListenAddresses(textsOf('api', given, env, DEFAULT_API), API_PORT), []);
  const token = keep(parseTokenSource(given, env), { kind: 'none' });
  const apiBeyondLoopback = api.some(({ address }) => !isLoopback(address));
  if (apiBeyondLoopback && token.kind === 'none' && !problems.some(({ path }) => path.includes('TOKEN')))
    problems.push(tokenNeeded(api));
  const settings: Settings = {
    configuration: keep(parseConfiguration(given, env), { kind: 'none' }),
    dataDirectory: keep(parseOne('data', given, env), undefined) ?? './data',
    dns,
    api,
    apiBeyondLoopback,
    token,
    geoFiles: textsOf('geo', given, env, '').map(({ text }) => text),
    nodeId: keep(parseNodeId(given, env, host.hostname), ''),
    logLevel: keep(parseLogLevel(given, env), 'info'),
  };
  return problems.length === 0 ? { ok: true, value: settings } : { ok: false, problems };
}

/** A bearer token as a file or the environment gives it, white space around it left out. */
export function parseToken(text: string, path: string): Parsed<string> {
  const token = text.trim();
  if (!/^[\x21-\x7e]*$/.test(token))
    return refused('bad-token', path, `the token of ${path} must be one word of visible ASCII characters.`);
  if (token.length < MIN_TOKEN_LENGTH)
    return refused(
      'weak-token',
      path,
      `the token of ${path} is too short; use at least ${MIN_TOKEN_LENGTH} characters, such as the output of "openssl rand -hex 32".`,
    );
  return { ok: true, value: token };
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

interface GivenText {
  readonly text: string;
  /** The flag or variable it came from, as problems name it. */
  readonly path: string;
}

/** The texts of a list; only variables and addresses are split at commas, since a file name may hold one. */
function textsOf(name: string, given: Arguments, env: Environment, otherwise: string): readonly GivenText[] {
  const fromFlags = given.values.get(name);
  const variable = variableOf(name);
  const fromVariable = env[variable];
  const [texts, path] =
    fromFlags !== undefined ? [fromFlags, `--${name}`] : [[fromVariable || otherwise], variable];
  const split = fromFlags === undefined || name !== 'geo' ? texts.flatMap((text) => text.split(',')) : texts;
  return split.map((text) => ({ text: text.trim(), path })).filter(({ text }) => text !== '');
}

function parseListenAddresses(texts: readonly GivenText[], defaultPort: number): Parsed<ListenAddress[]> {
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

/** The value of a flag that may stand once; undefined where neither flag nor variable gives one. */
function parseOne(name: string, given: Arguments, env: Environment): Parsed<string | undefined> {
  const values = given.values.get(name) ?? [];
  if (values.length > 1)
    return refused('given-twice', `--${name}`, `--${name} is given ${values.length} times; give it once.`);
  const value = values[0];
  if (value === '') return refused('missing-value', `--${name}`, `--${name} is empty.`);
  return { ok: true, value: value ?? (env[variableOf(name)] || undefined) };
}

function parseConfiguration(given: Arguments, env: Environment): Parsed<ConfigurationSource> {
  const directory = parseOne('config', given, env);
  if (!directory.ok) return directory;
  if (directory.value === 'none') return { ok: true, value: { kind: 'none' } };
  if (directory.value !== undefined)
    return { ok: true, value: { kind: 'directory', directory: directory.value } };
  const port = parseOne('demo-port', given, env);
  if (!port.ok) return port;
  const number = Number(port.value ?? DEMO_PORT);
  if (!Number.isInteger(number) || number < 1 || number > 65_535)
    return refused('bad-port', '--demo-port', `--demo-port: "${port.value}" is not a port from 1 to 65535.`);
  return { ok: true, value: { kind: 'demo', port: number } };
}

function parseTokenSource(given: Arguments, env: Environment): Parsed<TokenSource> {
  const file = parseOne('token-file', given, env);
  const text = env.MERIDIAN_TOKEN;
  if (!file.ok) return file;
  if (text === undefined || text === '' || given.values.has('token-file'))
    return {
      ok: true,
      value: file.value === undefined ? { kind: 'none' } : { kind: 'file', file: file.value },
    };
  if (file.value !== undefined)
    return refused('two-tokens', 'MERIDIAN_TOKEN', 'set MERIDIAN_TOKEN or MERIDIAN_TOKEN_FILE, not both.');
  const token = parseToken(text, 'MERIDIAN_TOKEN');
  return token.ok ? { ok: true, value: { kind: 'text', text: token.value } } : token;
}

function tokenNeeded(api: readonly ListenAddress[]): Problem {
  const open = api.filter(({ address }) => !isLoopback(address)).map(formatListenAddress);
  return {
    code: 'token-needed',
    path: '--api',
    message: `the API on ${open.join(', ')} could be written to by anybody; give it a token with --token-file, or keep it on 127.0.0.1.`,
  };
}

function parseNodeId(given: Arguments, env: Environment, hostname: string): Parsed<string> {
  const written = given.values.get('node-id') ?? [];
  // An empty flag is an answer here: the node then keeps its name to itself.
  const chosen: Parsed<string | undefined> =
    written.length === 1 ? { ok: true, value: written[0] } : parseOne('node-id', given, env);
  if (!chosen.ok) return chosen;
  if (chosen.value === undefined) return { ok: true, value: cutToOctets(hostname, MAX_NODE_ID_OCTETS) };
  const octets = new TextEncoder().encode(chosen.value).length;
  if (octets > MAX_NODE_ID_OCTETS)
    return refused(
      'node-id-too-long',
      '--node-id',
      `--node-id has ${octets} octets; at most ${MAX_NODE_ID_OCTETS} are allowed.`,
    );
  return { ok: true, value: chosen.value };
}

function parseLogLevel(given: Arguments, env: Environment): Parsed<LogLevel> {
  const chosen = parseOne('log-level', given, env);
  if (!chosen.ok) return chosen;
  const level = logLevels.find((known) => known === (chosen.value ?? 'info'));
  if (level !== undefined) return { ok: true, value: level };
  const hint = didYouMean(chosen.value ?? '', logLevels) || ` Use one of ${logLevels.join(', ')}.`;
  return refused('bad-log-level', '--log-level', `"${chosen.value}" is not a log level.${hint}`);
}

function isLoopback(text: string): boolean {
  const parsed = parseAddress(text);
  if (parsed === undefined) return false;
  const { family, octets } = normalise(parsed);
  return family === 4 ? octets[0] === 127 : formatAddress(octets) === '::1';
}

function cutToOctets(text: string, octets: number): string {
  let cut = text;
  while (new TextEncoder().encode(cut).length > octets) cut = cut.slice(0, -1);
  return cut;
}

function variableOf(name: string): string {
  return serveFlags.find((flag) => flag.name === name)?.variable ?? '';
}
