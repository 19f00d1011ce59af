import { Resolver } from 'node:dns/promises';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  Discovery,
  type DiscoveryResolver,
  type DiscoverySource,
} from '../../src/cluster/transport/discovery.ts';
import type { PeerAddress } from '../../src/cluster/transport/transport.ts';
import { silentLog } from '../contract/transport-stage.ts';
import { startNodeProcess, temporaryDirectory } from '../e2e/node-process.ts';

const zone = `
@ 60 IN SOA ns1 hostmaster 1 7200 900 1209600 60
@ 60 IN NS ns1
ns1 60 IN A 192.0.2.53
_meridian._tcp 60 IN SRV 20 0 7300 paris
_meridian._tcp 60 IN SRV 10 0 7301 tokyo
paris 60 IN A 192.0.2.1
tokyo 60 IN A 192.0.2.2
tokyo 60 IN AAAA 2001:db8::2
nodes 60 IN A 192.0.2.11
nodes 60 IN A 192.0.2.12
nodes 60 IN AAAA 2001:db8::11
`;

async function found(
  sources: readonly DiscoverySource[],
  resolver?: DiscoveryResolver,
): Promise<readonly string[]> {
  const rounds: string[] = [];
  const onCandidates = (addresses: readonly PeerAddress[]) => rounds.push(text(addresses));
  const discovery = new Discovery({ sources, log: silentLog, onCandidates, ...(resolver && { resolver }) });
  await discovery.start();
  await discovery.refresh();
  await discovery.refresh();
  discovery.close();
  return rounds;
}

function text(addresses: readonly PeerAddress[]): string {
  return addresses.map(({ host, port }) => `${host} ${port}`).join(', ');
}

describe('discovery', () => {
  it('asks a real DNS server for SRV and address records', { timeout: 60_000 }, async () => {
    const directory = temporaryDirectory();
    mkdirSync(join(directory.path, 'config', 'zones'), { recursive: true });
    writeFileSync(join(directory.path, 'config', 'zones', 'example.org.zone'), zone);
    const where = ['--data', join(directory.path, 'data'), '--config', join(directory.path, 'config')];
    const node = await startNodeProcess(where);
    const resolver = new Resolver({ timeout: 5000, tries: 2 });
    resolver.setServers([`127.0.0.1:${node.dnsPort}`]);
    const sources = [
      { kind: 'static', addresses: [{ host: '192.0.2.1', port: 7300 }] },
      { kind: 'srv', name: '_meridian._tcp.example.org' },
      { kind: 'host', name: 'nodes.example.org', port: 7400 },
    ] as const;
    expect(await found(sources, resolver)).toEqual([
      '192.0.2.1 7300, 192.0.2.2 7301, 2001:db8::2 7301, 192.0.2.11 7400, 192.0.2.12 7400, 2001:db8::11 7400',
    ]);
    await node.stop();
    directory.remove();
  });

  const answers = (rounds: readonly (readonly string[] | 'failure')[]): DiscoveryResolver => {
    let round = -1;
    return {
      resolveSrv: async () => [],
      resolve4: async () => {
        round += 1;
        const answer = rounds[round] ?? [];
        if (answer === 'failure') throw new Error('SERVFAIL');
        return answer;
      },
      resolve6: async () => {
        throw new Error('ENODATA');
      },
    };
  };
  const nodes = { kind: 'host', name: 'nodes.example.org', port: 1 } as const;

  it('tells what has changed, and nothing when only the order has', async () => {
    const rounds = [
      ['192.0.2.1', '192.0.2.2'],
      ['192.0.2.2', '192.0.2.1'],
      ['192.0.2.3', '192.0.2.1'],
    ];
    expect(await found([nodes], answers(rounds))).toEqual([
      '192.0.2.1 1, 192.0.2.2 1',
      '192.0.2.1 1, 192.0.2.3 1',
    ]);
  });

  it('keeps what it knew when nobody answers', async () => {
    expect(await found([nodes], answers([['192.0.2.1'], 'failure', ['192.0.2.1']]))).toEqual(['192.0.2.1 1']);
  });

  it('takes no more than a cluster can have', async () => {
    const many = Array.from({ length: 1000 }, (_, at) => `192.0.2.${at % 256}.${at}`);
    const rounds = await found([nodes], answers([many, many, many]));
    expect(rounds.map((round) => round.split(', ').length)).toEqual([256]);
  });
});
