import { createHash, randomBytes } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { splitAddress } from '../../src/cluster/identity/peer-address.ts';
import { MeshTransport } from '../../src/cluster/transport/mesh/mesh-transport.ts';
import type { PeerSession } from '../../src/cluster/transport/transport.ts';
import { silentLog } from '../contract/transport-stage.ts';
import { eventually } from '../until.ts';
import { ClusterNodes, PATIENCE_MS, putAddress } from './cluster-nodes.ts';

/* A member with a good certificate that says whatever it likes. The other two must not notice more than its end. */

let cluster: ClusterNodes;
let evil: MeshTransport;
let session: PeerSession | undefined;
const ends: string[] = [];

beforeAll(async () => {
  cluster = await ClusterNodes.make(['fra', 'iad', 'evil']);
  await cluster.run('fra', 'iad');
  await cluster.inTouch();
  await cluster.node('fra').api.put('/v1/zones/example.org', { nameServers: ['ns1.example.org'] });
  const [own, fra] = [cluster.identities.get('evil'), cluster.identities.get('fra')];
  if (own === undefined || fra === undefined) throw new Error('all have identities');
  const { name, clusterId } = own.settings;
  const { certificatePem, privateKeyPem, caCertificatePem } = own;
  evil = new MeshTransport({
    identity: {
      name,
      clusterId,
      certificatePem,
      privateKeyPem,
      caCertificatesPem: [caCertificatePem],
      isRevoked: () => false,
    },
    listen: { host: '127.0.0.1', port: 0 },
    version: '1.0.0',
    log: silentLog,
  });
  await evil.start({
    onUp: (up) => {
      session = up;
    },
    onFrame: () => undefined,
    onDrain: () => undefined,
    onDown: (_, reason) => {
      session = undefined;
      ends.push(reason);
    },
  });
  evil.setPeers([{ name: 'fra', addresses: [splitAddress(fra.settings.listen)] }]);
}, 2 * PATIENCE_MS);

afterAll(async () => {
  await evil?.close();
  await cluster?.stop();
});

/** Says it on whatever session there is, as soon as there is room. */
async function say(frame: Uint8Array): Promise<void> {
  await eventually(async () => (session?.send(frame) === true ? true : undefined), {
    withinMs: PATIENCE_MS,
    what: 'the session takes a frame',
  });
}

/** A chunk of Automerge's that unfolds to a gigabyte of zeros. */
function bomb(): Uint8Array {
  const deflated = deflateRawSync(Buffer.alloc(1_000_000_000));
  const length: number[] = [];
  for (let left = deflated.length; left > 0; left >>>= 7)
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  const body = Buffer.concat([Uint8Array.of(2, ...length), deflated]);
  const sum = createHash('sha256').update(body).digest().subarray(0, 4);
  const chunk = Buffer.concat([Buffer.from('856f4a83', 'hex'), sum, body]);
  const size: number[] = [];
  for (let left = chunk.length; left > 0; left >>>= 7) size.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
  return Buffer.concat([Uint8Array.of(0, 0x42, 0, 0, 0, 1, ...size), chunk]);
}

function documents(entries: readonly unknown[]): Uint8Array {
  return encodeFrame('documents', { kind: 'documents', entries });
}

const lies: readonly { readonly name: string; readonly frames: () => readonly Uint8Array[] }[] = [
  {
    name: 'documents that unfold to gigabytes',
    frames: () => {
      const message = bomb();
      return Array.from({ length: 10 }, (_, at) =>
        documents([[`zone/0/bomb${at}.`, new Uint8Array(32), message]]),
      );
    },
  },
  {
    name: 'more documents than there may be',
    frames: () =>
      Array.from({ length: 60 }, (_, page) =>
        documents(
          Array.from({ length: 4000 }, (__, at) => [`zone/0/n${page * 4000 + at}.`, randomBytes(32)]),
        ),
      ),
  },
  {
    name: 'a status that changes with every frame, of a clock beyond all dates',
    frames: () =>
      Array.from({ length: 3000 }, (_, at) =>
        encodeFrame('members', {
          type: 'status',
          version: '9',
          region: 'r',
          role: 'full',
          startedAtMs: 8.64e15,
          clockMs: 8.64e15,
          generation: Number.MAX_SAFE_INTEGER,
          isReady: true,
          reason: '',
          dns: [],
          withdrawal: at % 2 === 0 ? 'taken' : 'none',
        }),
      ),
  },
  {
    name: 'frames of the largest size with nothing of sense',
    frames: () =>
      Array.from({ length: 20 }, () =>
        encodeFrame('observations', { kind: 'live', rows: Buffer.alloc(8_388_000) }),
      ),
  },
];

describe('a member that lies', { timeout: 2 * PATIENCE_MS }, () => {
  it.each(lies)('stops nobody with $name', async ({ name, frames }) => {
    for (const frame of frames()) await say(frame);
    const label = `after-${lies.findIndex((lie) => lie.name === name)}`;
    await putAddress(cluster.node('fra').api, label, '192.0.2.1');
    await cluster.allAnswer({ name: `${label}.example.org` }, ['192.0.2.1']);
    expect((await cluster.members('fra')).get('iad')?.state).toBe('up');
    expect(
      (await cluster.node('fra').api.get<{ items: unknown[] }>('/v1/zones?limit=10')).items,
    ).toHaveLength(1);
  });

  it('is cut off for what no node says', () => {
    expect(ends.join()).toMatch(/things that were refused/);
  });
});
