import { describe, expect, it } from 'vitest';
import {
  isRemoved,
  liveNodes,
  nodeNamed,
  revokedSerials,
  withSerial,
} from '../../../src/cluster/identity/member-config.ts';
import { applyChanges, emptyConfig, PREVIEW_STAMP } from '../../../src/config/apply-changes.ts';
import type { Change, Config } from '../../../src/config/model.ts';
import type { ClusterNode } from '../../../src/config/resources/cluster-node.ts';

const node: ClusterNode = {
  name: 'fra-1',
  region: 'eu',
  addresses: [],
  role: 'full',
  membership: 'a'.repeat(32),
  certificateSerial: '4'.repeat(32),
  revokedSerials: ['5'.repeat(32)],
  joinedAt: '2026-01-01T00:00:00Z',
};

/** What a peer may have written; nothing of it was checked. */
function written(
  nodes: Readonly<Record<string, unknown>>,
  removals: Readonly<Record<string, unknown>> = {},
): Config {
  const changes = [
    ...Object.entries(nodes).map(([key, value]) => ({ collection: 'nodes', key, value })),
    ...Object.entries(removals).map(([key, value]) => ({ collection: 'removals', key, value })),
  ].map((change) => ({ ...change, owner: { kind: 'api' } })) as readonly Change[];
  return applyChanges(emptyConfig(), changes, PREVIEW_STAMP);
}

describe('what peers wrote of members', () => {
  it.each([
    { name: 'nothing of a node', value: {} },
    { name: 'no serials', value: { ...node, revokedSerials: undefined } },
    { name: 'serials that are none', value: { ...node, revokedSerials: 7 } },
    { name: 'addresses that are none', value: { ...node, addresses: ['nowhere'] } },
    { name: 'the name of another', value: { ...node, name: 'lon-1' } },
  ])('counts for nothing where it is $name', ({ value }) => {
    const config = written({ 'fra-1': value });
    expect([liveNodes(config), nodeNamed(config, 'fra-1'), revokedSerials(config).size]).toEqual([
      [],
      undefined,
      0,
    ]);
  });

  it('may have fields of a later version', () => {
    const later = { ...node, colour: 'green' };
    expect(liveNodes(written({ 'fra-1': later }))).toEqual([later]);
  });

  it('ends a membership by its key alone', () => {
    const config = written({ 'fra-1': node }, { [node.membership]: { garbage: true } });
    expect([liveNodes(config), isRemoved(config, node)]).toEqual([[], true]);
    expect([...revokedSerials(config)].sort()).toEqual(['4'.repeat(32), '5'.repeat(32)]);
  });
});

it('remembers so many revoked serials, the newest', () => {
  let serials: readonly string[] = [];
  for (let i = 0; i < 100; i++) serials = withSerial(serials, String(i));
  expect([serials.length, serials.at(0), serials.at(-1)]).toEqual([64, '36', '99']);
  expect(withSerial(['1', '2'], '1')).toEqual(['2', '1']);
});
