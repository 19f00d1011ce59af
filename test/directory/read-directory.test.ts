import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { emptyConfig, previewConfig } from '../../src/config/apply-changes.ts';
import { checkConfig } from '../../src/config/check.ts';
import { directoryChanges, planDirectory } from '../../src/config/directory-changes.ts';
import { formatProblem } from '../../src/config/format-problem.ts';
import type { Config } from '../../src/config/model.ts';
import { readDirectory } from '../../src/directory/read-directory.ts';
import { contract, soundConfig } from '../config/config-fixture.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'meridian-directory-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

type Files = Readonly<Record<string, string>>;

function put(files: Files): void {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), text);
  }
}

async function problemsOf(files: Files, config?: Config): Promise<readonly string[]> {
  put(files);
  const reading = await readDirectory(directory, contract, config);
  return reading.ok ? [] : reading.problems.map(formatProblem);
}

const yaml = `
dataCenters:
  - &fra { name: fra, latitude: 50.11, longitude: 8.68 }
monitors:
  - name: up
    kind: tcp
    port: 80
pools:
  - name: web
    monitor: up
    endpoints:
      - name: fra-1
        dataCenter: fra
        address: 192.0.2.1
policies:
  - { name: closest, rank: { kind: nearest } }
steeredNames:
  - name: WWW.example.org
    pool: web
    policy: closest
`;

const zone = `$TTL 300
@ IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ IN NS ns1
ns1 IN A 192.0.2.53
`;

const sound: Files = { 'meridian.yaml': yaml, 'zones/example.org.zone': zone };

describe('readDirectory', () => {
  it('reads resources and zones with their files and lines', async () => {
    put(sound);
    const reading = await readDirectory(directory, contract);
    if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'));
    expect(
      reading.resources.map(({ collection, key, file, line }) => `${file}:${line} ${collection}/${key}`),
    ).toEqual([
      'meridian.yaml:3 dataCenters/fra',
      'meridian.yaml:5 monitors/up',
      'meridian.yaml:9 pools/web',
      'meridian.yaml:16 policies/closest',
      'meridian.yaml:18 steeredNames/www.example.org.',
    ]);
    expect(reading.zones).toMatchObject([
      { apex: 'example.org.', rrsetCount: 3, file: 'zones/example.org.zone', line: 2 },
    ]);
    expect(new TextDecoder().decode(reading.zones[0]?.text)).toContain(
      'ns1.example.org. 300 IN A 192.0.2.53\n',
    );
    expect(reading.zones[0]?.blob).toMatch(/^[0-9a-f]{64}$/);
  });

  it('gives a configuration without problems, and nothing to change when read again', async () => {
    put(sound);
    const reading = await readDirectory(directory, contract);
    if (!reading.ok) throw new Error(reading.problems.map(formatProblem).join('\n'));
    const plan = planDirectory(emptyConfig(), reading);
    if (!plan.ok) throw new Error('refused');
    const config = previewConfig(emptyConfig(), plan.value);
    expect(checkConfig(config)).toEqual([]);
    const again = await readDirectory(directory, contract, config);
    expect(again.ok && directoryChanges(config, again)).toEqual([]);
  });

  it('lets files refer to what the API made', async () => {
    const files = { 'a.yaml': 'steeredNames:\n  - { name: b.example.org, pool: web, policy: nearest }\n' };
    expect(await problemsOf(files, soundConfig())).toEqual([]);
    expect((await problemsOf(files)).length).toBe(3);
  });

  it('refuses a directory without any file: a mistaken path must not take everything away', async () => {
    expect(await problemsOf({ 'README.txt': 'nothing for us' })).toEqual([
      expect.stringMatching(/has no \*\.yaml and no \*\.zone file; check the path/),
    ]);
  });

  it('names a mistake in an included file by its place in the directory', async () => {
    const given = {
      'zones/example.org.zone': `${zone}$INCLUDE part.inc\n`,
      'zones/part.inc': 'x A nonsense\n',
    };
    expect(await problemsOf(given)).toEqual([expect.stringMatching(/^zones\/part\.inc:1: /)]);
  });

  it('joins several files, empty ones too, and leaves others alone', async () => {
    const [top = '', ...rest] = yaml.split(/(?=^policies:)/m);
    const files = { 'a.yml': top, 'b.yaml': rest.join(''), 'c.yaml': '# nothing\n', 'README.md': '{' };
    expect(await problemsOf({ ...files, 'example.org.zone': zone, '.hidden.yaml': '{' })).toEqual([]);
  });

  it('understands anchors, aliases and merges', async () => {
    const text = `dataCenters:\n  - &a { name: a, latitude: 1, longitude: 2 }\n  - { <<: *a, name: b }\n`;
    expect(await problemsOf({ 'a.yaml': text })).toEqual([]);
  });

  const cases: readonly { name: string; given: Files; want: readonly string[] }[] = [
    {
      name: 'tells all mistakes of all files at once, each with its line',
      given: {
        'a.yaml':
          'dataCenters:\n  - { name: fra, latitude: 95, longitude: 8 }\n  - name: sin\n    latitude: 1\n',
        'b.yaml':
          'pools:\n  - name: web\n    endpoints:\n      - name: e\n        dataCenter: fra\n        adress: 192.0.2.1\n',
        'zones/example.org.zone': zone.replace('192.0.2.53', '192.0.2.300'),
      },
      want: [
        'a.yaml:2: dataCenters/fra/latitude: "latitude" must be at most 90.',
        'a.yaml:3: dataCenters/sin/longitude: "longitude" is missing.',
        'b.yaml:6: pools/web/endpoints/e/adress: "adress" is not a field here.',
        'b.yaml:4: pools/web/endpoints/e: "e" must have exactly one of address and canonicalName.',
        'zones/example.org.zone:4: A address must be an IPv4 address, got "192.0.2.300".',
      ],
    },
    {
      name: 'tells cross mistakes at the line of the field',
      given: { ...sound, 'meridian.yaml': yaml.replace('dataCenter: fra', 'dataCenter: frq') },
      want: [
        'meridian.yaml:13: pools/web/endpoints/fra-1/dataCenter: The endpoint "fra-1" names the data center "frq", which does not exist. Did you mean "fra"?',
      ],
    },
    {
      name: 'does not blame others for what did not parse',
      given: { ...sound, 'meridian.yaml': yaml.replace('address: 192.0.2.1', 'address: here') },
      want: [
        'meridian.yaml:14: pools/web/endpoints/fra-1/address: "address" must be an IPv4 or IPv6 address.',
      ],
    },
    {
      name: 'does not blame others for a file that cannot be read to its end',
      given: {
        ...sound,
        'a.yaml': 'steeredNames:\n  - { name: a.example.org, pool: other, policy: closest }\n',
        'b.yaml': 'pools:\n  - [',
      },
      want: ['b.yaml:2: Flow sequence in block collection must be sufficiently indented and end with a ].'],
    },
    {
      name: 'tells both places of a name that stands twice',
      given: { ...sound, 'other.yaml': '\npolicies:\n  - { name: closest, rank: { kind: nearest } }\n' },
      want: [
        'other.yaml:3: policies/closest: policies/closest stands at meridian.yaml line 16 already; keep one of them.',
      ],
    },
    {
      name: 'tells both places of a zone that stands twice',
      given: { ...sound, 'example.org.zone': zone },
      want: [
        'zones/example.org.zone:2: zones/example.org.: zones/example.org. stands at example.org.zone line 2 already; keep one of them.',
      ],
    },
    {
      name: 'refuses unknown top-level keys with a suggestion',
      given: { 'a.yaml': 'polls: []\nzones: []\n' },
      want: [
        'a.yaml:1: polls: "polls" is not a top-level key; known are dataCenters, pools, monitors, policies, steeredNames, overrides, maintenanceWindows, alertChannels. Did you mean "pools"?',
        'a.yaml:2: zones: Zones come from zone files: put one at zones/<name>.zone for each zone.',
      ],
    },
    {
      name: 'refuses a file that is no mapping, and a collection that is no list',
      given: { 'a.yaml': '- x\n', 'b.yaml': 'pools:\n  web: {}\noverrides: 3\n' },
      want: [
        'a.yaml:1: The file must have top-level keys, some of dataCenters, pools, monitors, policies, steeredNames, overrides, maintenanceWindows, alertChannels.',
        'b.yaml:1: pools: "pools" must be a list, each item with its name.',
        'b.yaml:3: overrides: "overrides" must be a list, each item with its id.',
      ],
    },
    {
      name: 'refuses keys that stand twice',
      given: { 'a.yaml': 'pools: []\npools: []\n' },
      want: ['a.yaml:2: Map keys must be unique.'],
    },
    {
      name: 'bounds what aliases can grow to',
      given: {
        'a.yaml': `pools:\n  - &a [x, x, x, x, x, x, x, x, x, x]\n${Array.from(
          { length: 8 },
          (_, i) => `  - &${'bcdefghi'[i]} [${Array(10).fill(`*${'abcdefgh'[i]}`).join(', ')}]\n`,
        ).join('')}`,
      },
      want: ['a.yaml:1: Excessive alias count indicates a resource exhaustion attack.'],
    },
    {
      name: 'refuses YAML among the zone files, where it would be overlooked',
      given: { 'zones/a.yaml': '' },
      want: [
        'zones/a.yaml:1: zones/a.yaml is not read: YAML files belong beside the folder zones, not into it.',
      ],
    },
    {
      name: 'sees conflicts of steered names with zone files',
      given: { ...sound, 'zones/example.org.zone': `${zone}www A 192.0.2.9\n` },
      want: [
        'meridian.yaml:18: steeredNames/www.example.org./name: The zone example.org. has A records at www.example.org. already; delete them, or do not steer the name.',
      ],
    },
    {
      name: 'refuses includes that lead out of the directory or nowhere',
      given: {
        'zones/example.org.zone': `${zone}$INCLUDE ../../secret\n$INCLUDE /etc/hosts\n$INCLUDE missing.inc\n`,
      },
      want: [
        'zones/example.org.zone:5: ../../secret: $INCLUDE "../../secret" leads out of the configuration directory; put the file inside.',
        'zones/example.org.zone:6: /etc/hosts: $INCLUDE "/etc/hosts" leads out of the configuration directory; put the file inside.',
        'zones/example.org.zone:7: zones/missing.inc: zones/missing.inc cannot be read: it does not exist; check the path. $INCLUDE looks in the folder of the zone file, zones.',
      ],
    },
  ];
  for (const { name, given, want } of cases) {
    it(name, async () => expect(await problemsOf(given)).toEqual(want));
  }

  it('reads includes inside the directory', async () => {
    put({
      'zones/example.org.zone': `${zone}$INCLUDE ../shared/hosts.inc\n`,
      'shared/hosts.inc': 'a A 192.0.2.7\n',
    });
    const reading = await readDirectory(directory, contract);
    expect(reading.ok && new TextDecoder().decode(reading.zones[0]?.text)).toContain(
      'a.example.org. 300 IN A 192.0.2.7',
    );
  });

  it('follows links that stay inside, and refuses those that lead out', async () => {
    put({ '.versions/1/a.yaml': 'dataCenters: []\n' });
    symlinkSync('.versions/1/a.yaml', join(directory, 'a.yaml'));
    expect(await problemsOf({})).toEqual([]);
    symlinkSync('/etc/hostname', join(directory, 'b.yaml'));
    symlinkSync('/etc/hostname', join(directory, 'zones.inc'));
    expect(await problemsOf({ 'example.org.zone': `${zone}$INCLUDE zones.inc\n` })).toEqual([
      'b.yaml:1: b.yaml lies outside the configuration directory; put it, or a copy, inside.',
      'example.org.zone:5: zones.inc: $INCLUDE "zones.inc" leads out of the configuration directory; put the file inside.',
    ]);
  });

  it('says what to do about a directory that is not there', async () => {
    const missing = join(directory, 'missing');
    const reading = await readDirectory(missing, contract);
    expect(reading.ok ? [] : reading.problems).toMatchObject([
      { code: 'unreadable-file', message: `${missing} cannot be read: it does not exist; check the path.` },
    ]);
  });

  it('refuses what is not UTF-8, and what is a directory', async () => {
    writeFileSync(join(directory, 'a.yaml'), Uint8Array.of(0xff, 0xfe, 0x41));
    mkdirSync(join(directory, 'b.yaml'));
    expect(await problemsOf({})).toEqual([
      'a.yaml:1: a.yaml is not UTF-8 text; save it as UTF-8.',
      'b.yaml:1: b.yaml cannot be read: it is a directory, and a file is expected.',
    ]);
  });
});
