import { describe, expect, it } from 'vitest';
import { formatListenAddress } from '../src/server/listen-address.ts';
import { parseToken } from '../src/settings/token-source.ts';
import { parseSettings, type Settings, usage } from '../src/settings.ts';

type Environment = Readonly<Record<string, string>>;

function settingsOf(argv: string, env: Environment = {}): Settings {
  const result = parseSettings(argv.split(' ').filter(Boolean), env, { hostname: 'node-1' });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join(' '));
  return result.value;
}

function problemsOf(argv: string, env: Environment = {}): string[] {
  const result = parseSettings(argv.split(' ').filter(Boolean), env, { hostname: 'node-1' });
  return result.ok ? [] : result.problems.map(({ code, message }) => `${code}: ${message}`);
}

const TOKEN = '0123456789abcdef';

const good: readonly { name: string; argv: string; env?: Environment; want: Partial<Settings> }[] = [
  {
    name: 'defaults',
    argv: '',
    want: {
      configuration: { kind: 'demo', port: 8080 },
      dataDirectory: './data',
      dns: [{ address: '127.0.0.1', port: 5300 }],
      api: [{ address: '127.0.0.1', port: 8053 }],
      apiBeyondLoopback: false,
      token: { kind: 'none' },
      geoFiles: [],
      nodeId: 'node-1',
      region: '',
      execDirectory: undefined,
      sockets: 'auto',
      dnsWorkers: undefined,
      start: 'alone',
      takeoverTimeoutMs: 120_000,
      history: { days: 90, mebibytes: 64 },
      logLevel: 'info',
    },
  },
  { name: 'a region', argv: '--region eu-west', want: { region: 'eu-west' } },
  {
    name: 'a directory of programs',
    argv: '--allow-exec /usr/lib/meridian/probes',
    want: { execDirectory: '/usr/lib/meridian/probes' },
  },
  {
    name: 'the header of a proxy',
    argv: '--measurement-client-header X-Real-IP',
    want: { measurementClientHeader: 'x-real-ip' },
  },
  {
    name: 'flags with a space or an equals sign',
    argv: '--config conf --data=store --log-level warn --node-id ams1 --history-days 30',
    want: {
      configuration: { kind: 'directory', directory: 'conf' },
      dataDirectory: 'store',
      history: { days: 30, mebibytes: 64 },
      logLevel: 'warn',
      nodeId: 'ams1',
    },
  },
  { name: 'no configuration', argv: '--config none', want: { configuration: { kind: 'none' } } },
  {
    name: 'the port of the demo',
    argv: '',
    env: { MERIDIAN_DEMO_PORT: '9000' },
    want: { configuration: { kind: 'demo', port: 9000 } },
  },
  {
    name: 'addresses by repetition and by commas, with and without ports',
    argv: '--dns 192.0.2.1:5353,192.0.2.2 --dns [2001:db8::1]:54 --dns [::1]',
    want: {
      dns: [
        { address: '192.0.2.1', port: 5353 },
        { address: '192.0.2.2', port: 53 },
        { address: '2001:db8::1', port: 54 },
        { address: '::1', port: 53 },
      ],
    },
  },
  {
    name: 'the same address twice with port 0',
    argv: '--dns 127.0.0.1:0,127.0.0.1:0',
    want: {
      dns: [
        { address: '127.0.0.1', port: 0 },
        { address: '127.0.0.1', port: 0 },
      ],
    },
  },
  { name: 'an API port by default', argv: '--api [::1]', want: { api: [{ address: '::1', port: 8053 }] } },
  {
    name: 'the environment',
    argv: '',
    env: {
      MERIDIAN_CONFIG: 'conf',
      MERIDIAN_DATA: 'store',
      MERIDIAN_DNS: '127.0.0.2:53,[::1]:53',
      MERIDIAN_API: '127.0.0.3:80',
      MERIDIAN_GEO: 'city.mmdb,asn.mmdb',
      MERIDIAN_NODE_ID: 'from-env',
      MERIDIAN_LOG_LEVEL: 'debug',
      MERIDIAN_HISTORY_MIB: '256',
      MERIDIAN_TOKEN: ` ${TOKEN}\n`,
    },
    want: {
      configuration: { kind: 'directory', directory: 'conf' },
      dataDirectory: 'store',
      dns: [
        { address: '127.0.0.2', port: 53 },
        { address: '::1', port: 53 },
      ],
      api: [{ address: '127.0.0.3', port: 80 }],
      geoFiles: ['city.mmdb', 'asn.mmdb'],
      nodeId: 'from-env',
      history: { days: 90, mebibytes: 256 },
      logLevel: 'debug',
      token: { kind: 'text', text: TOKEN },
    },
  },
  {
    name: 'a flag before the environment',
    argv: '--dns 127.0.0.1:1 --geo a,b.mmdb --data here --token-file secret',
    env: { MERIDIAN_DNS: '127.0.0.1:2', MERIDIAN_GEO: 'x', MERIDIAN_DATA: 'there', MERIDIAN_TOKEN: TOKEN },
    want: {
      dns: [{ address: '127.0.0.1', port: 1 }],
      geoFiles: ['a,b.mmdb'],
      dataDirectory: 'here',
      token: { kind: 'file', file: 'secret' },
    },
  },
  {
    name: 'an empty variable as none',
    argv: '',
    env: { MERIDIAN_CONFIG: '', MERIDIAN_DNS: '', MERIDIAN_TOKEN: '', MERIDIAN_NODE_ID: '' },
    want: { dns: [{ address: '127.0.0.1', port: 5300 }], token: { kind: 'none' }, nodeId: 'node-1' },
  },
  { name: 'no node id', argv: '--node-id=', want: { nodeId: '' } },
  {
    name: 'an open API with a token',
    argv: '--api 0.0.0.0:8053 --token-file secret',
    want: { apiBeyondLoopback: true, token: { kind: 'file', file: 'secret' } },
  },
  {
    name: 'what carries DNS, and by how many threads',
    argv: '--sockets node --dns-workers 3',
    want: { sockets: 'node', dnsWorkers: 3 },
  },
  {
    name: 'the same from the environment',
    argv: '',
    env: { MERIDIAN_SOCKETS: 'addon', MERIDIAN_DNS_WORKERS: '64', MERIDIAN_TAKEOVER_TIMEOUT: '5' },
    want: { sockets: 'addon', dnsWorkers: 64, takeoverTimeoutMs: 5000 },
  },
  { name: 'a takeover', argv: '--takeover --data d', want: { start: 'takeover', dataDirectory: 'd' } },
  { name: 'all of 127/8 as loopback', argv: '--api 127.9.9.9:1', want: { apiBeyondLoopback: false } },
];

const bad: readonly { name: string; argv: string; env?: Environment; want: readonly string[] }[] = [
  {
    name: 'a misspelt flag',
    argv: '--confg conf',
    want: ['unknown-flag: --confg is not a flag. Did you mean "--config"?'],
  },
  { name: 'a flag like no other', argv: '--zzz', want: ['unknown-flag: --zzz is not a flag. See --help.'] },
  {
    name: 'a flag without its value',
    argv: '--data --dns 127.0.0.1:1',
    want: ['missing-value: --data needs a value: --data DIR.'],
  },
  {
    name: 'a stray word',
    argv: 'conf',
    want: [`stray-word: "conf" is neither a flag nor a flag's value.`],
  },
  {
    name: 'a value given twice',
    argv: '--data a --data b',
    want: ['given-twice: --data is given 2 times; give it once.'],
  },
  {
    name: 'a name for an address',
    argv: '--dns localhost:53',
    want: ['bad-address: --dns: "localhost:53" is a name; write 127.0.0.1 or [::1].'],
  },
  {
    name: 'IPv6 without brackets',
    argv: '--dns ::1',
    want: ['bad-address: --dns: write the IPv6 address in brackets: [::1].'],
  },
  {
    name: 'IPv4 in brackets',
    argv: '--dns [127.0.0.1]:53',
    want: [
      'bad-address: --dns: "[127.0.0.1]:53" is not an address and port such as 192.0.2.1:53 or [2001:db8::1]:53.',
    ],
  },
  {
    name: 'a port alone',
    argv: '--dns :53',
    want: ['bad-address: --dns: ":53" lacks an address; for all of them write 0.0.0.0:53 and [::]:53.'],
  },
  {
    name: 'a port too high',
    argv: '--dns 127.0.0.1:65536',
    want: ['bad-port: --dns: port 65536 is above 65535.'],
  },
  {
    name: 'an address twice',
    argv: '--dns [::1]:53,[0::1]:53',
    want: ['duplicate-address: --dns: [::1]:53 is given twice.'],
  },
  {
    name: 'an open API without a token',
    argv: '--api 127.0.0.1:1,[::]:2',
    want: [
      'token-needed: the API on [::]:2 could be written to by anybody; give it a token with --token-file, or keep it on 127.0.0.1.',
    ],
  },
  {
    name: 'a short token',
    argv: '--api 0.0.0.0:1',
    env: { MERIDIAN_TOKEN: 'short' },
    want: [
      'weak-token: the token of MERIDIAN_TOKEN is too short; use at least 16 characters, such as the output of "openssl rand -hex 32".',
    ],
  },
  {
    name: 'two tokens',
    argv: '',
    env: { MERIDIAN_TOKEN: TOKEN, MERIDIAN_TOKEN_FILE: 'x' },
    want: ['two-tokens: set MERIDIAN_TOKEN or MERIDIAN_TOKEN_FILE, not both.'],
  },
  {
    name: 'a node id too long',
    argv: `--node-id ${'é'.repeat(33)}`,
    want: ['node-id-too-long: --node-id has 66 octets; at most 64 are allowed.'],
  },
  {
    name: 'a demo port that is none',
    argv: '--demo-port x',
    want: ['bad-port: --demo-port: "x" is not a port from 1 to 65535.'],
  },
  {
    name: 'sockets that are none',
    argv: '--sockets adon',
    want: ['bad-sockets: --sockets: "adon" is not known. Did you mean "addon"?'],
  },
  ...['0', '65', '1.5', '-1', 'x'].map((count) => ({
    name: `${count} threads`,
    argv: `--dns-workers=${count}`,
    want: [`bad-dns-workers: --dns-workers: "${count}" is not a whole number from 1 to 64.`],
  })),
  ...['0', '86401', 'x'].map((seconds) => ({
    name: `${seconds} seconds for a takeover`,
    argv: `--takeover-timeout ${seconds}`,
    want: [`bad-timeout: --takeover-timeout: "${seconds}" is not a whole number of seconds from 1 to 86400.`],
  })),
  {
    name: 'a value for what takes none',
    argv: '--takeover=yes',
    want: ['value-not-taken: --takeover takes no value.'],
  },
  {
    name: 'a directory of programs whose place depends on where the node was started',
    argv: '--allow-exec probes',
    want: [
      'bad-exec-directory: --allow-exec: "probes" is not an absolute path such as /usr/lib/meridian/probes.',
    ],
  },
  {
    name: 'what is no header',
    argv: '--measurement-client-header X-Real-IP:',
    want: [
      'bad-header: --measurement-client-header: "X-Real-IP:" is not the name of a header, such as X-Real-IP.',
    ],
  },
  {
    name: 'everything at once',
    argv: '--confg x --dns nowhere --log-level debgu',
    env: { MERIDIAN_API: '[::1' },
    want: [
      'unknown-flag: --confg is not a flag. Did you mean "--config"?',
      'bad-address: --dns: "nowhere" is not an address and port such as 192.0.2.1:53 or [2001:db8::1]:53.',
      'bad-address: MERIDIAN_API: "[::1" is not an address and port such as 192.0.2.1:53 or [2001:db8::1]:53.',
      'bad-log-level: "debgu" is not a log level. Did you mean "debug"?',
    ],
  },
];

describe('parseSettings', () => {
  it.each(good)('takes $name', ({ argv, env, want }) => {
    expect(settingsOf(argv, env)).toMatchObject(want);
  });

  it.each(bad)('refuses $name', ({ argv, env, want }) => {
    expect(problemsOf(argv, env)).toEqual(want);
  });

  it('reads back the addresses that it writes', () => {
    const written = '192.0.2.1:53,[2001:db8::1]:5353,[::]:0';
    expect(settingsOf(`--dns ${written}`).dns.map(formatListenAddress).join(',')).toBe(written);
  });

  it('cuts a long host name', () => {
    const result = parseSettings([], {}, { hostname: 'x'.repeat(100) });
    expect(result.ok && result.value.nodeId.length).toBe(64);
  });

  it('explains every flag', () => {
    for (const flag of [
      'config',
      'data',
      'dns',
      'api',
      'token-file',
      'geo',
      'node-id',
      'region',
      'allow-exec',
      'measurement-client-header',
      'log-level',
      'demo-port',
      'sockets',
      'dns-workers',
      'takeover-timeout',
    ])
      expect(usage()).toContain(`--${flag} `);
  });
});

describe('parseToken', () => {
  it('leaves out white space around it', () => {
    expect(parseToken(`\n${TOKEN} \n`, 'f')).toEqual({ ok: true, value: TOKEN });
  });

  it.each(['', 'short', `${TOKEN} ${TOKEN}`, `${TOKEN}é`])('refuses %j', (text) => {
    expect(parseToken(text, 'f').ok).toBe(false);
  });
});
