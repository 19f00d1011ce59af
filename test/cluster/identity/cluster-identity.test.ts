import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { serialOf } from '../../../src/cluster/identity/certificate.ts';
import { ClusterIdentity } from '../../../src/cluster/identity/cluster-identity.ts';
import { identityFolder } from '../../../src/cluster/identity/cluster-key.ts';
import { deriveSecret } from '../../../src/cluster/identity/derived-secrets.ts';
import { type IdentityFiles, readIdentityFiles } from '../../../src/cluster/identity/identity-files.ts';
import { parseToken } from '../../../src/cluster/identity/invitation-token.ts';
import { joinCluster } from '../../../src/cluster/identity/join-client.ts';
import {
  liveNodes,
  type MemberStore,
  nodeChange,
  revokedSerials,
} from '../../../src/cluster/identity/member-config.ts';
import { alice, type FirstNode, Stage } from './given.ts';

const stage = new Stage();
afterEach(() => stage.clear());

/** Another node of the same cluster, which shares the first one's configuration. */
async function second(
  first: FirstNode,
): Promise<{ readonly files: IdentityFiles; readonly identity: ClusterIdentity }> {
  const { address } = await stage.listen(first.files, first.members);
  const issued = await first.identity.invite(600, alice);
  const token = parseToken(issued.ok ? issued.value.token : '');
  if (!token.ok) throw new Error('our own token');
  const how = { name: 'lon-1', region: 'eu', role: 'full', listen: '192.0.2.2:7053', advertise: [] } as const;
  const joined = await joinCluster({ ...token.value, addresses: [address] }, { ...how, advertise: [] });
  if (!joined.ok) throw new Error(JSON.stringify(joined.problems));
  const { files } = joined.value;
  return { files, identity: identityOver(files, first.members) };
}

function identityOver(files: IdentityFiles, members: MemberStore): ClusterIdentity {
  return new ClusterIdentity({
    dataDirectory: stage.directory(),
    files,
    members,
    now: stage.now,
    log: () => undefined,
    onRenewed: () => undefined,
    onLeft: () => undefined,
  });
}

function codesOf(identity: ClusterIdentity): readonly string[] {
  return identity.problems().map(({ code }) => code);
}

describe('a certificate', () => {
  it('is renewed once two thirds of its time are over', async () => {
    const { identity, dataDirectory, members, events } = await stage.firstNode();
    const before = serialOf(identity.files.certificatePem);
    stage.days = 59;
    expect([await identity.renewIfDue(), codesOf(identity)]).toEqual([false, []]);
    stage.days = 60;
    expect([codesOf(identity), await identity.renewIfDue()]).toEqual([['certificate-expires'], true]);
    const after = serialOf(identity.files.certificatePem);
    expect(after).not.toBe(before);
    expect(await readIdentityFiles(dataDirectory)).toEqual({ ok: true, value: identity.files });
    expect(members.config.nodes.get('fra-1')?.value).toMatchObject({
      certificateSerial: after,
      revokedSerials: [before],
    });
    expect(identity.transportIdentity().isRevoked(before.toUpperCase())).toBe(true);
    expect(identity.transportIdentity().isRevoked(after.toUpperCase())).toBe(false);
    expect([events, codesOf(identity), await identity.renewIfDue()]).toEqual([['renewed'], [], false]);
  });

  it('is rotated when asked for, again and again', async () => {
    const { identity, members } = await stage.firstNode();
    for (let i = 0; i < 3; i++) expect(await identity.rotate(alice)).toMatchObject({ ok: true });
    expect(members.config.nodes.get('fra-1')?.value.revokedSerials.length).toBe(3);
  });

  it('that cannot be renewed stays, and is told of', async () => {
    const { identity, dataDirectory, events } = await stage.firstNode({ dataDirectory: '/proc/none' });
    stage.days = 61;
    expect(await identity.renewIfDue()).toBe(false);
    expect(codesOf(identity)).toEqual(['certificate-expires', 'certificate-not-renewed']);
    expect(await readIdentityFiles(dataDirectory)).toEqual({ ok: true, value: identity.files });
    expect(events).toEqual([]);
  });

  it('that has ended is still renewed, because the node has the key of the CA', async () => {
    const { identity } = await stage.firstNode();
    stage.days = 400;
    expect(await identity.renewIfDue()).toBe(true);
    expect(codesOf(identity)).toEqual([]);
  });

  it('of the CA is told of half a year before it ends, and a clock that is behind at once', async () => {
    const { identity } = await stage.firstNode();
    stage.days = 3500;
    await identity.renewIfDue();
    expect(identity.problems().map(({ path }) => path)).toEqual(['cluster/ca']);
    stage.days = -2;
    expect(codesOf(identity)).toEqual(['certificate-not-yet-valid', 'certificate-not-yet-valid']);
  });

  it('from a backup that was replaced since is replaced again', async () => {
    const first = await stage.firstNode();
    await first.identity.rotate(alice);
    const restored = new ClusterIdentity({
      dataDirectory: first.dataDirectory,
      files: first.files,
      members: first.members,
      now: stage.now,
      log: () => undefined,
      onRenewed: () => undefined,
      onLeft: () => undefined,
    });
    await restored.announce();
    const serial = serialOf(restored.files.certificatePem);
    expect(revokedSerials(first.members.config).has(serial)).toBe(false);
    expect(first.members.config.nodes.get('fra-1')?.value.certificateSerial).toBe(serial);
  });
});

describe('announce', () => {
  it('tells what cluster.json says now, once', async () => {
    const first = await stage.firstNode();
    const settings = { ...first.files.settings, region: 'eu-central', advertise: ['198.51.100.1:7053'] };
    const moved = identityOver({ ...first.files, settings }, first.members);
    await moved.announce();
    const written = first.members.config.nodes.get('fra-1');
    expect(written?.value).toMatchObject({ region: 'eu-central', addresses: ['198.51.100.1:7053'] });
    await moved.announce();
    expect(first.members.config.nodes.get('fra-1')?.revision).toBe(written?.revision);
  });

  it('writes nothing before the node has heard from the cluster', async () => {
    const first = await stage.firstNode();
    const { files } = await second(first);
    const empty = await stage.members();
    const identity = identityOver(files, empty);
    await identity.announce();
    expect([identity.standing, empty.config.nodes.size]).toEqual(['unknown', 0]);
  });
});

describe('a node that is removed', () => {
  it('counts nowhere any more, and says so itself', async () => {
    const first = await stage.firstNode();
    const { identity, files } = await second(first);
    expect(await first.identity.remove('lon-1', alice)).toEqual({ ok: true, value: undefined });
    expect(liveNodes(first.members.config).map(({ name }) => name)).toEqual(['fra-1']);
    expect(first.identity.transportIdentity().isRevoked(serialOf(files.certificatePem))).toBe(true);
    expect([identity.standing, codesOf(identity)]).toEqual(['removed', ['node-removed']]);
    expect(await identity.rotate(alice)).toMatchObject({ ok: false });
    expect(await identity.invite(60, alice)).toMatchObject({ ok: false });
  });

  it('stays removed when it wrote of itself on the other side of a partition', async () => {
    const first = await stage.firstNode();
    const { files } = await second(first);
    const before = first.members.config.nodes.get('lon-1')?.value;
    await first.identity.remove('lon-1', alice);
    if (before === undefined) throw new Error('it has joined');
    // The merge takes what it wrote of itself.
    await first.members.write([nodeChange({ ...before, region: 'us' })], alice);
    expect(liveNodes(first.members.config).map(({ name }) => name)).toEqual(['fra-1']);
    expect(first.identity.transportIdentity().isRevoked(serialOf(files.certificatePem))).toBe(true);
  });

  it('may be told again, must exist, and is never the node that is asked', async () => {
    const first = await stage.firstNode();
    await second(first);
    await first.identity.remove('lon-1', alice);
    expect(await first.identity.remove('lon-1', alice)).toMatchObject({ ok: true });
    expect(await first.identity.remove('nyc-1', alice)).toMatchObject({
      problems: [{ code: 'unknown-node' }],
    });
    expect(await first.identity.remove('fra-1', alice)).toMatchObject({ problems: [{ code: 'own-node' }] });
  });
});

it('notices that another machine has its name, and that two came with one invitation', async () => {
  const first = await stage.firstNode();
  const { identity } = await second(first);
  const lon = first.members.config.nodes.get('lon-1')?.value;
  if (lon === undefined) throw new Error('it has joined');
  await first.members.write([nodeChange({ ...lon, name: 'lon-2' })], alice);
  expect(codesOf(first.identity)).toEqual(['invitation-used-twice']);
  await first.members.write([nodeChange({ ...lon, membership: 'e'.repeat(32) })], alice);
  expect([identity.standing, codesOf(identity)]).toEqual(['replaced', ['node-replaced']]);
});

it('leaves: its membership ends, then its files are put aside', async () => {
  const { identity, dataDirectory, members, events } = await stage.firstNode();
  const left = await identity.leave(alice);
  expect(left).toMatchObject({ ok: true });
  expect([existsSync(identityFolder(dataDirectory)), existsSync(left.ok ? left.value.aside : '')]).toEqual([
    false,
    true,
  ]);
  expect([liveNodes(members.config), events, codesOf(identity)]).toEqual([[], ['left'], []]);
  expect(identity.overview().standing).toBe('left');
  expect(await identity.leave(alice)).toMatchObject({ problems: [{ code: 'no-member' }] });
});

it('stays where its leaving cannot be written', async () => {
  const { files, dataDirectory, members } = await stage.firstNode();
  const failing: MemberStore = {
    config: members.config,
    write: () => Promise.reject(new Error('disk full')),
  };
  const identity = new ClusterIdentity({
    dataDirectory,
    files,
    members: failing,
    now: stage.now,
    log: () => undefined,
    onRenewed: () => undefined,
    onLeft: () => undefined,
  });
  expect(await identity.leave(alice)).toMatchObject({ problems: [{ code: 'not-written' }] });
  expect(existsSync(identityFolder(dataDirectory))).toBe(true);
});

it('derives secrets alike on all nodes, and none from another', async () => {
  const first = await stage.firstNode();
  const { identity } = await second(first);
  const purposes = ['cookies', 'seal', 'messages', 'caKey'] as const;
  const hex = (octets: Uint8Array): string => Buffer.from(octets).toString('hex');
  const ours = purposes.map((purpose) => hex(first.identity.secret(purpose)));
  expect(purposes.map((purpose) => hex(identity.secret(purpose)))).toEqual(ours);
  expect(new Set(ours.map((secret) => secret.slice(0, 32))).size).toBe(purposes.length);
  // Fixed for ever: nodes of two versions run side by side.
  expect(hex(deriveSecret(new Uint8Array(32), 'cookies'))).toMatchInlineSnapshot(
    `"b9557ccb18ad9a1d1c26d0aff8b0c8b7"`,
  );
});
