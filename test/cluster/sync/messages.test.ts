import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame } from '../../../src/cluster/frame.ts';
import { BlobFetch, MAX_CHUNKS_ASKED } from '../../../src/cluster/sync/blob-fetch.ts';
import { CHUNK_OCTETS, encodeBlobFrame, parseBlobFrame } from '../../../src/cluster/sync/blob-messages.ts';
import {
  type DocumentEntry,
  encodeDocuments,
  MAX_ENTRIES_PER_FRAME,
  ONLY_HEADS,
  PART_OCTETS,
  parseDocumentFrame,
  REFUSED,
} from '../../../src/cluster/sync/document-messages.ts';
import { PartAssembly } from '../../../src/cluster/sync/part-assembly.ts';

const head = 'ab'.repeat(32);
const hash = 'cd'.repeat(32);

function parsed(frame: Uint8Array): ReturnType<typeof parseDocumentFrame> {
  const decoded = decodeFrame(frame);
  return decoded.ok ? parseDocumentFrame(decoded.frame.value) : undefined;
}

/** Entries as they come out at the other end, pieces put together again. */
function received(frames: readonly Uint8Array[]): readonly DocumentEntry[] {
  const assembly = new PartAssembly();
  return frames.flatMap((frame) => {
    const one = parsed(frame);
    if (one?.kind === 'documents') return one.entries;
    const assembled = one === undefined ? undefined : assembly.add(one.part);
    return assembled?.kind === 'whole' ? [assembled.entry] : [];
  });
}

describe('frames of documents', () => {
  it('come out as they went in, long messages too', () => {
    const long = new Uint8Array(2 * PART_OCTETS + 5).fill(7);
    const entries: DocumentEntry[] = [
      { document: 'root', heads: head, content: ONLY_HEADS },
      { document: 'zone/0/a.', heads: head + head, content: { kind: 'message', message: long } },
      { document: 'zone/0/b.', heads: '', content: REFUSED },
      { document: 'zone/0/c.', heads: head, content: { kind: 'message', message: Uint8Array.of(1) } },
    ];
    const frames = encodeDocuments(entries, 'last');
    expect(received(frames)).toEqual(entries);
    expect(
      frames.map((frame) => parsed(frame)).filter((one) => one?.kind === 'documents' && one.last),
    ).toHaveLength(1);
  });

  it('have a bounded number of entries, and end even where there is nothing to tell', () => {
    const entries = Array.from({ length: MAX_ENTRIES_PER_FRAME + 1 }, (_, number) => ({
      document: `zone/0/${number}.`,
      heads: head,
      content: ONLY_HEADS,
    }));
    expect(encodeDocuments(entries, 'more')).toHaveLength(2);
    expect(encodeDocuments([], 'more')).toEqual([]);
    expect(encodeDocuments([], 'last').map(parsed)).toEqual([{ kind: 'documents', entries: [], last: true }]);
  });

  it.each([
    ['nothing', null],
    ['another kind', { kind: 'zones', entries: [] }],
    ['no entries', { kind: 'documents' }],
    ['an entry without heads', { kind: 'documents', entries: [['root']] }],
    ['half a head', { kind: 'documents', entries: [['root', new Uint8Array(31)]] }],
    ['a document without a name', { kind: 'documents', entries: [['', new Uint8Array(0)]] }],
    ['a message of text', { kind: 'documents', entries: [['root', new Uint8Array(0), 'text']] }],
    [
      'a piece behind the end',
      {
        kind: 'part',
        document: 'root',
        heads: new Uint8Array(0),
        at: 9,
        length: 9,
        octets: Uint8Array.of(1),
      },
    ],
    [
      'a piece of something endless',
      {
        kind: 'part',
        document: 'root',
        heads: new Uint8Array(0),
        at: 0,
        length: 1e12,
        octets: Uint8Array.of(1),
      },
    ],
    [
      'a shred',
      {
        kind: 'part',
        document: 'root',
        heads: new Uint8Array(0),
        at: 0,
        length: 9,
        octets: Uint8Array.of(1),
      },
    ],
    [
      'an empty piece',
      {
        kind: 'part',
        document: 'root',
        heads: new Uint8Array(0),
        at: 0,
        length: 9,
        octets: new Uint8Array(0),
      },
    ],
  ])('are refused: %s', (_, value) => {
    expect(parseDocumentFrame(value)).toBeUndefined();
  });

  it('never throw, whatever comes', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        parseDocumentFrame(value);
        parseBlobFrame(value);
      }),
    );
  });
});

describe('pieces', () => {
  const piece = { document: 'root', heads: head, at: 0, length: 2, octets: Uint8Array.of(1) };

  it('must follow each other', () => {
    const assembly = new PartAssembly();
    expect(assembly.add({ ...piece, at: 1 }).kind).toBe('misfit');
    expect(assembly.add(piece).kind).toBe('goes-on');
    expect(assembly.add({ ...piece, document: 'zone/0/a.', at: 1 }).kind).toBe('misfit');
    expect(assembly.add({ ...piece, at: 1 }).kind).toBe('misfit');
    expect(assembly.waitingOctets).toBe(0);
  });
});

describe('a blob on its way', () => {
  const length = 20 * CHUNK_OCTETS + 1;
  const chunk = (at: number): Parameters<BlobFetch['take']>[1] => {
    const octets = new Uint8Array(Math.min(CHUNK_OCTETS, length - at)).fill(at / CHUNK_OCTETS);
    return { kind: 'chunk', hash, at, length, octets };
  };
  const ask = (fetch: BlobFetch): readonly number[] => {
    const asked: number[] = [];
    for (let at = fetch.wanted(); at !== undefined; at = fetch.wanted()) {
      asked.push(at / CHUNK_OCTETS);
      fetch.asked();
    }
    return asked;
  };

  it('is asked for in order, a bounded part at once, and goes on from another peer', () => {
    const fetch = new BlobFetch(hash);
    expect(ask(fetch)).toEqual([]);
    fetch.askFrom('a');
    expect(ask(fetch)).toEqual([0]);
    expect(fetch.take('a', chunk(0))).toBe('more');
    expect(ask(fetch)).toHaveLength(MAX_CHUNKS_ASKED);
    expect(fetch.take('a', chunk(CHUNK_OCTETS))).toBe('more');
    fetch.askFrom('b');
    expect(fetch.take('a', chunk(2 * CHUNK_OCTETS))).toBe('unexpected');
    expect(ask(fetch)[0]).toBe(2);
    let took: string = 'more';
    for (let at = 2 * CHUNK_OCTETS; took === 'more'; at += CHUNK_OCTETS) {
      took = fetch.take('b', chunk(at));
      ask(fetch);
    }
    expect(took).toBe('whole');
    expect([...fetch.sources]).toEqual(['a', 'b']);
    expect(fetch.join().length).toBe(length);
  });

  it('takes no chunk that was not asked for, is another, or changes its length', () => {
    const fetch = new BlobFetch(hash);
    fetch.askFrom('a');
    expect(fetch.take('a', chunk(0))).toBe('unexpected');
    ask(fetch);
    expect(fetch.take('b', chunk(0))).toBe('unexpected');
    expect(fetch.take('a', chunk(0))).toBe('more');
    ask(fetch);
    expect(fetch.take('a', chunk(2 * CHUNK_OCTETS))).toBe('unexpected');
    expect(fetch.take('a', { ...chunk(CHUNK_OCTETS), length: length + 1 })).toBe('unexpected');
  });

  it('comes in chunks that are whole but for the last', () => {
    const decoded = decodeFrame(encodeBlobFrame(chunk(0)));
    expect(decoded.ok && parseBlobFrame(decoded.frame.value)).toEqual(chunk(0));
    expect(parseBlobFrame({ ...chunk(0), octets: Uint8Array.of(1) })).toBeUndefined();
    expect(parseBlobFrame({ ...chunk(0), at: 1 })).toBeUndefined();
    expect(parseBlobFrame({ kind: 'ask', hash: 'zz', at: 0 })).toBeUndefined();
  });
});
