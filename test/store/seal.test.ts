import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Change } from '../../src/config/model.ts';
import { LmdbDatabase } from '../../src/store/lmdb-database.ts';
import { putSealKeyFirst, readSealKeys, sealKeysOf } from '../../src/store/seal/seal-keys.ts';
import { openLeaf, sealLeaf } from '../../src/store/seal/sealed-leaf.ts';
import { createSealer, sealKeyId } from '../../src/store/seal/sealer.ts';
import { alice, api, dataCenter, open, Scratch } from './given.ts';
import { meet } from './meet.ts';

/* Secrets in documents. */

const scratch = new Scratch();
afterEach(() => scratch.clear());

const SECRET = 'correct-horse-battery-staple';

function channel(secret: string, description = 'a channel'): Change {
  return {
    collection: 'alertChannels',
    key: 'on-call',
    owner: api,
    value: {
      name: 'on-call',
      description,
      url: 'https://alerts.example.net/hook/0a1b2c',
      format: 'json',
      secret,
      groupSeconds: 5,
      minimumSeverity: 'warning',
    },
  };
}

/** All octets of the documents of a directory whose store is closed. */
async function documentsOf(directory: string): Promise<string> {
  const database = await LmdbDatabase.open(directory);
  const parts = [...database.documentRecords()].flatMap((record) => database.documentParts(record));
  await database.close();
  return Buffer.concat(parts).toString('latin1');
}

describe('a sealer', () => {
  const keys = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)] as const;
  const place = 'alertChannels/on-call/secret';

  it('opens what it has sealed, and seals no text twice alike', () => {
    const sealer = createSealer([keys[0]]);
    const [one, two] = [sealer.seal(SECRET, place), sealer.seal(SECRET, place)];
    expect([sealer.open(one, place), sealer.open(two, place)]).toEqual([SECRET, SECRET]);
    expect(one).not.toBe(two);
    expect(one.startsWith(`sealed:v1:${sealKeyId(keys[0])}:`)).toBe(true);
  });

  it.each([
    { name: 'of another key', change: () => createSealer([keys[1]]).seal(SECRET, place) },
    {
      name: 'of another place',
      change: () => createSealer([keys[0]]).seal(SECRET, 'alertChannels/other/secret'),
    },
    { name: 'changed in one octet', change: (sealed: string) => `${sealed.slice(0, -4)}AAAA` },
    { name: 'cut short', change: (sealed: string) => sealed.slice(0, 40) },
    { name: 'of nothing', change: () => 'sealed:v1:' },
  ])('does not open a text $name', ({ change }) => {
    const sealer = createSealer([keys[0]]);
    expect(sealer.open(change(sealer.seal(SECRET, place)), place)).toBeUndefined();
  });

  it('opens with old keys what it seals with the new one from now on', () => {
    const old = createSealer([keys[0]]).seal(SECRET, place);
    const sealer = createSealer([keys[1], keys[0]]);
    expect(sealer.open(old, place)).toBe(SECRET);
    expect(createSealer([keys[1]]).open(sealer.seal(SECRET, place), place)).toBe(SECRET);
  });

  it('leaves a secret that stays the same as it was sealed', () => {
    const sealer = createSealer([keys[0]]);
    const text = JSON.stringify({ value: { secret: SECRET } });
    const before = sealLeaf(sealer, { map: 'alertChannels', key: 'on-call', before: undefined }, text);
    expect(before).not.toContain(SECRET);
    expect(sealLeaf(sealer, { map: 'alertChannels', key: 'on-call', before }, text)).toBe(before);
    expect(openLeaf(sealer, 'alertChannels', 'on-call', before)).toBe(text);
  });
});

describe('a secret', () => {
  it('is in clear in the configuration and nowhere on disk', async () => {
    const directory = scratch.directory();
    const store = await open(directory);
    await store.commit([channel(SECRET)], alice);
    expect(store.config.alertChannels.get('on-call')?.value.secret).toBe(SECRET);
    await store.close();
    const documents = await documentsOf(directory);
    expect(documents).toContain('sealed:v1:');
    for (const text of [SECRET, 'hook/0a1b2c']) expect(documents).not.toContain(text);
    expect(readFileSync(join(directory, 'database/data.mdb'), 'latin1')).not.toContain(SECRET);
    const again = await open(directory);
    expect(again.config.alertChannels.get('on-call')?.value.url).toBe(
      'https://alerts.example.net/hook/0a1b2c',
    );
    await again.close();
  });

  it('that only another node’s key opens is told and left out, and comes back with the key', async () => {
    const [first, directory] = [scratch.directory(), scratch.directory()];
    const [one, two] = [await open(first), await open(directory)];
    await one.commit([channel(SECRET), dataCenter('fra', 1)], alice);
    await meet(one, two);
    expect(two.config.dataCenters.size).toBe(1);
    expect(two.config.alertChannels.size).toBe(0);
    expect(two.problems()).toMatchObject([{ code: 'unknown-seal-key', path: 'alertChannels/on-call' }]);
    await two.commit([dataCenter('fra', 2)], alice);
    await two.close();
    // The key of the other node, as a cluster hands it over.
    putSealKeyFirst(directory, sealKeysOf(first)[0]);
    const again = await open(directory);
    expect(again.config.alertChannels.get('on-call')?.value.secret).toBe(SECRET);
    expect(again.problems()).toEqual([]);
    await meet(one, again);
    expect(again.config.alertChannels).toEqual(one.config.alertChannels);
    await one.close();
    await again.close();
  });

  it('is no conflict when both sides have sealed the same', async () => {
    const [first, second] = [scratch.directory(), scratch.directory()];
    putSealKeyFirst(second, sealKeysOf(first)[0]);
    const [one, two] = [await open(first), await open(second)];
    await one.commit([channel(SECRET)], alice);
    await two.commit([channel(SECRET)], alice);
    await meet(one, two);
    expect(one.conflicts()).toEqual([]);
    await one.commit([channel(`${SECRET} 1`)], alice);
    await two.commit([channel(`${SECRET} 2`)], alice);
    await meet(one, two);
    const secrets = one
      .conflicts()[0]
      ?.values.map(({ value }) => (value as { readonly secret: string }).secret);
    expect(secrets?.sort()).toEqual([`${SECRET} 1`, `${SECRET} 2`]);
    await one.close();
    await two.close();
  });
});

describe('the key file', () => {
  it('is made for its owner alone, and stays', async () => {
    const directory = scratch.directory();
    const [key] = sealKeysOf(directory);
    expect(statSync(join(directory, 'seal.key')).mode & 0o777).toBe(0o600);
    expect(sealKeysOf(directory)).toEqual([key]);
    const other = new Uint8Array(32).fill(7);
    putSealKeyFirst(directory, other);
    putSealKeyFirst(directory, other);
    expect(readSealKeys(directory)?.map((one) => Buffer.from(one))).toEqual([Buffer.from(other), key]);
  });

  it.each(['', 'short\n', `${'A'.repeat(43)}\nnoise\n`])('that holds %j is not used', async (text) => {
    const directory = scratch.directory();
    writeFileSync(join(directory, 'seal.key'), text);
    await expect(open(directory)).rejects.toMatchObject({
      code: 'unreadable',
      message: expect.stringContaining(join(directory, 'seal.key')),
    });
    // The directory is free again.
    writeFileSync(join(directory, 'seal.key'), `${'A'.repeat(43)}\n`);
    await (await open(directory)).close();
  });
});
