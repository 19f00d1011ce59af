import { describe, expect, it } from 'vitest';
import { createHashedName, readPlainName } from '../../src/dns/hashed-name.ts';
import { columnsOf } from '../../src/dns/rrset-columns.ts';
import { TYPE_A } from '../../src/dns/type.ts';
import { compileColumns, compileEditable } from '../../src/snapshot/compile-zone.ts';
import { MAX_OWNERS_PER_EDIT, type OwnerEdit, ZoneEditor } from '../../src/snapshot/edit-zone.ts';
import { originOf } from '../../src/snapshot/image-origin.ts';
import { findNode, findRRset, NONE, openZoneImage } from '../../src/snapshot/zone-image.ts';
import type { RRsetSource } from '../../src/snapshot/zone-source.ts';
import { name, zoneSource } from '../answer/world.ts';

const APEX = name('example.org.');
const head = '$ORIGIN example.org.\n@ 60 SOA ns h 1 7200 900 1209600 60\n@ 60 NS ns.example.net.\n';

function host(i: number): RRsetSource {
  return {
    owner: name(`host-${i}.example.org.`),
    type: TYPE_A,
    ttlSeconds: 300,
    rdatas: [Uint8Array.of(192, 0, 2, i & 0xff)],
  };
}

function zoneOf(count: number): { readonly image: SharedArrayBuffer; readonly editor: ZoneEditor } {
  const hosts = Array.from({ length: count }, (_, i) => host(i));
  const columns = columnsOf([...zoneSource(head).rrsets, ...hosts]);
  const { image, room, problems } = compileEditable({ apex: APEX, columns, steeredNames: [] });
  expect(problems).toEqual([]);
  return { image, editor: new ZoneEditor(APEX, image, room) };
}

/** Numbers below `end` of the hosts that the image has an address for. */
function hostsIn(image: SharedArrayBuffer, end: number): readonly number[] {
  const zone = openZoneImage(image);
  const hashed = createHashedName();
  return Array.from({ length: end }, (_, i) => i).filter((i) => {
    const wire = name(`host-${i}.example.org.`);
    readPlainName(hashed, wire, 0, wire.length);
    const node = findNode(zone, hashed, 0);
    return node !== NONE && findRRset(zone, node, TYPE_A) !== NONE;
  });
}

const gone = (i: number): OwnerEdit => ({ owner: host(i).owner, rrsets: [] });
const there = (i: number): OwnerEdit => ({ owner: host(i).owner, rrsets: [host(i)] });

describe('ZoneEditor', () => {
  it('takes names out of a table in which searches run into each other', () => {
    const { editor } = zoneOf(4000);
    const edits = Array.from({ length: 900 }, (_, i) => gone((i * 7) % 4000));
    const image = editor.edit(edits, 2);
    expect(image).toBeDefined();
    const removed = new Set(Array.from({ length: 900 }, (_, i) => (i * 7) % 4000));
    const left = Array.from({ length: 4000 }, (_, i) => i).filter((i) => !removed.has(i));
    expect(hostsIn(image as SharedArrayBuffer, 4000)).toEqual(left);
  });

  it('leaves the image before as it was', () => {
    const { image, editor } = zoneOf(10);
    editor.edit([gone(3), there(11)], 2);
    expect(hostsIn(image, 12)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('gives up where its room ends, and not before it', () => {
    const { editor } = zoneOf(10);
    let image: SharedArrayBuffer | undefined;
    let next = 10;
    for (;;) {
      const edits = Array.from({ length: 200 }, (_, i) => there(next + i));
      const edited = editor.edit(edits, next);
      if (edited === undefined) break;
      image = edited;
      next += 200;
    }
    expect(next).toBeGreaterThan(200);
    expect(hostsIn(image as SharedArrayBuffer, next)).toHaveLength(next);
  });

  it('leaves edits of very many names to the compiler', () => {
    const { editor } = zoneOf(10);
    const edits = Array.from({ length: MAX_OWNERS_PER_EDIT + 1 }, (_, i) => there(i));
    expect(editor.edit(edits, 2)).toBeUndefined();
  });
});

describe('what an image is made from', () => {
  it('is read back', () => {
    const columns = columnsOf(zoneSource(head).rrsets);
    const origin = new Uint8Array(32).fill(7);
    const { image } = compileColumns({ apex: APEX, columns, steeredNames: [] }, origin);
    expect(originOf(openZoneImage(image))).toEqual(origin);
  });

  it('is nothing where nobody said so', () => {
    const { image } = zoneOf(1);
    expect(originOf(openZoneImage(image))).toBeUndefined();
  });
});
