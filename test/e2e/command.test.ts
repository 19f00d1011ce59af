import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { addressesOf } from './dns-client.ts';
import { runMeridian, startNodeProcess, temporaryDirectory } from './node-process.ts';

const scratch = temporaryDirectory();
afterAll(() => scratch.remove());

function inScratch(name: string): string {
  return join(scratch.path, name);
}

const quiet = ['--dns', '127.0.0.1:0', '--api', '127.0.0.1:0'];

describe('a start that cannot succeed says why', () => {
  it('a port in use', async () => {
    const taken = createSocket('udp4');
    taken.bind(0, '127.0.0.1');
    await once(taken, 'listening');
    const port = taken.address().port;
    const { code, output } = await runMeridian([
      'serve',
      ...['--dns', `127.0.0.1:${port}`, '--api', '127.0.0.1:0'],
      ...['--data', inScratch('taken'), '--config', 'none'],
    ]);
    taken.close();
    expect([code, output.includes(`port ${port}`)]).toEqual([1, true]);
  });

  it('a configuration directory that is not there', async () => {
    const missing = inScratch('missing');
    const { code, output } = await runMeridian([
      'serve',
      ...quiet,
      '--data',
      inScratch('a'),
      '--config',
      missing,
    ]);
    expect([code, output.includes(missing)]).toEqual([1, true]);
  });

  it('mistakes in the configuration, all at once with file and line', async () => {
    const broken = inScratch('broken');
    mkdirSync(broken);
    writeFileSync(
      join(broken, 'meridian.yaml'),
      'dataCenters:\n  - name: FRA\n    latitude: 500\n    longitude: 0\n',
    );
    const { code, output } = await runMeridian([
      'serve',
      ...quiet,
      '--data',
      inScratch('b'),
      '--config',
      broken,
    ]);
    expect(code).toBe(1);
    expect(output).toMatch(/meridian\.yaml:2: /);
    expect(output).toMatch(/meridian\.yaml:3: /);
  });

  it('a geo file that is none', async () => {
    const file = inScratch('broken.mmdb');
    writeFileSync(file, 'not a database');
    const { code, output } = await runMeridian([
      'serve',
      ...quiet,
      ...['--data', inScratch('c'), '--config', 'none', '--geo', file],
    ]);
    expect([code, output.includes(file)]).toEqual([1, true]);
  });

  it('an API open to the network without a token', async () => {
    const { code, output } = await runMeridian([
      'serve',
      ...['--dns', '127.0.0.1:0', '--api', '0.0.0.0:0', '--data', inScratch('d'), '--config', 'none'],
    ]);
    expect(code).not.toBe(0);
    expect(output).toMatch(/token/);
  });

  it('a data directory that another node uses', async () => {
    const data = inScratch('shared');
    const first = await startNodeProcess(['--data', data, '--config', 'none']);
    const { code, output } = await runMeridian(['serve', ...quiet, '--data', data, '--config', 'none']);
    await first.stop();
    expect([code, output.includes(data)]).toEqual([1, true]);
  });

  it('an unknown flag', async () => {
    const { code, output } = await runMeridian(['serve', '--confg', 'x']);
    expect(code).not.toBe(0);
    expect(output).toMatch(/--config/);
  });
});

describe('stopping and starting again', () => {
  it('ends with 0 on SIGINT and SIGTERM and finds its data again', async () => {
    const data = inScratch('again');
    const configDirectory = inScratch('again-config');
    mkdirSync(configDirectory);
    const zone = '$TTL 60\n@ IN SOA ns1 hostmaster 1 3600 600 86400 60\n@ IN NS ns1\nns1 IN A 192.0.2.53\n';
    writeFileSync(join(configDirectory, 'example.org.zone'), zone);
    const first = await startNodeProcess(['--data', data, '--config', configDirectory]);
    expect(await first.stop('SIGINT')).toBe(0);
    const second = await startNodeProcess(['--data', data, '--config', 'none']);
    expect(await addressesOf(second.dnsPort, { name: 'ns1.example.org', type: 'A' })).toEqual(['192.0.2.53']);
    expect(await second.stop('SIGTERM')).toBe(0);
  });

  it('ends in order when nobody reads its output any more', async () => {
    const node = await startNodeProcess(['--data', inScratch('unread'), '--config', 'none']);
    node.stopReading();
    expect(await node.stop('SIGINT')).toBe(0);
  });
});
