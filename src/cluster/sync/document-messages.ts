/**
 * What travels on the channel of documents. Two shapes of frame:
 *
 *     { kind: 'documents', entries: [[document, heads], [document, heads, message], ...], last: true? }
 *                                    [document, heads, null]      the receiver's message was refused
 *     { kind: 'part', document, heads, at, length, octets }       a message too long for one frame, in pieces
 *
 * An entry says what the sender's document is at now (`heads`, 32 octets each, one after the other in order; none for
 * a document that it does not have). With a message it is also a step of Automerge's own sync protocol about it, which
 * the receiver answers with an entry, with a message or without. `last` ends the first telling of all documents.
 */

import { encodeFrame } from '../frame.ts';
import { isCount } from '../plain-value.ts';

/** Frames stay about this long: the sender's queue then moves in steps that every link can follow. */
export const FRAME_TARGET_OCTETS = 524_288;

/** Longest piece of a message; with its frame far below what a frame may have. */
export const PART_OCTETS = 1_048_576;

/** A document with half a million changes; more is a peer that wants our memory. */
export const MAX_MESSAGE_OCTETS = 67_108_864;

/** Entries of one frame, so that a frame is parsed in about a millisecond. */
export const MAX_ENTRIES_PER_FRAME = 4096;

/** The longest name of a zone with the words before it, escaped octet by octet (RFC 1035, 2.3.4). */
const MAX_DOCUMENT_ID_LENGTH = 1100;

/** SHA-256 of a change. */
const HEAD_OCTETS = 32;

/** As many nodes may have written a document apart; more heads than that are an attack on the bloom filters. */
const MAX_HEADS = 1024;

/** The hashes of a document's latest changes, sorted, as hex without a gap; '' for a document that is not there. */
export type Heads = string;

export interface DocumentEntry {
  readonly document: string;
  readonly heads: Heads;
  readonly content: EntryContent;
}

/** `refused`: what the other side sent about the document could not be taken in. */
export type EntryContent =
  | { readonly kind: 'heads' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'message'; readonly message: Uint8Array };

export const ONLY_HEADS: EntryContent = { kind: 'heads' };
export const REFUSED: EntryContent = { kind: 'refused' };

export interface MessagePart {
  readonly document: string;
  readonly heads: Heads;
  /** Octets before this piece. */
  readonly at: number;
  /** Octets of the whole message. */
  readonly length: number;
  readonly octets: Uint8Array;
}

export type DocumentFrame =
  | { readonly kind: 'documents'; readonly entries: readonly DocumentEntry[]; readonly last: boolean }
  | { readonly kind: 'part'; readonly part: MessagePart };

export function joinHeads(heads: readonly string[] | undefined): Heads {
  return heads?.join('') ?? '';
}

/** About what an entry takes in its frame. */
export function entryOctets({ document, heads, content }: DocumentEntry): number {
  return document.length + heads.length / 2 + (content.kind === 'message' ? content.message.length : 0) + 16;
}

/** The frames of these entries, none with more than it may have; the end of all that is told goes into the last. */
export function encodeDocuments(
  entries: readonly DocumentEntry[],
  end: 'last' | 'more',
): readonly Uint8Array[] {
  const frames: Uint8Array[] = [];
  let page: unknown[] = [];
  let octets = 0;
  const close = (last: boolean): void => {
    if (page.length > 0 || last) frames.push(encodeFrame('documents', pageValue(page, last)));
    page = [];
    octets = 0;
  };
  for (const entry of entries) {
    const { content } = entry;
    if (content.kind === 'message' && content.message.length > PART_OCTETS) {
      // What came before goes before: entries of one document must not overtake each other.
      close(false);
      frames.push(...encodeParts(entry, content.message));
      continue;
    }
    if (octets + entryOctets(entry) > FRAME_TARGET_OCTETS || page.length >= MAX_ENTRIES_PER_FRAME)
      close(false);
    page.push(entryValue(entry));
    octets += entryOctets(entry);
  }
  close(end === 'last');
  return frames;
}

function entryValue({ document, heads, content }: DocumentEntry): unknown {
  const octets = Buffer.from(heads, 'hex');
  if (content.kind === 'heads') return [document, octets];
  return [document, octets, content.kind === 'refused' ? null : content.message];
}

function pageValue(entries: readonly unknown[], last: boolean): unknown {
  return last ? { kind: 'documents', entries, last } : { kind: 'documents', entries };
}

function* encodeParts({ document, heads }: DocumentEntry, message: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < message.length; at += PART_OCTETS) {
    yield encodeFrame('documents', {
      kind: 'part',
      document,
      heads: Buffer.from(heads, 'hex'),
      at,
      length: message.length,
      octets: message.subarray(at, at + PART_OCTETS),
    });
  }
}

/** Undefined for what is no frame of documents. */
export function parseDocumentFrame(value: unknown): DocumentFrame | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, entries, last, ...rest } = value as Record<string, unknown>;
  if (kind === 'part') return parsePart(rest);
  if (kind !== 'documents' || !Array.isArray(entries) || entries.length > MAX_ENTRIES_PER_FRAME)
    return undefined;
  const parsed: DocumentEntry[] = [];
  for (const entry of entries) {
    const one = parseEntry(entry);
    if (one === undefined) return undefined;
    parsed.push(one);
  }
  return { kind: 'documents', entries: parsed, last: last === true };
}

function parseEntry(value: unknown): DocumentEntry | undefined {
  if (!Array.isArray(value)) return undefined;
  const [document, octets, message] = value as readonly unknown[];
  const heads = parseHeads(octets);
  if (!isDocumentName(document) || heads === undefined) return undefined;
  if (message === undefined) return { document, heads, content: ONLY_HEADS };
  if (message === null) return { document, heads, content: REFUSED };
  return message instanceof Uint8Array
    ? { document, heads, content: { kind: 'message', message } }
    : undefined;
}

function parsePart(value: Readonly<Record<string, unknown>>): DocumentFrame | undefined {
  const { document, at, length, octets, heads: headOctets } = value;
  const heads = parseHeads(headOctets);
  if (!isDocumentName(document) || heads === undefined || !(octets instanceof Uint8Array)) return undefined;
  if (!isCount(at) || !isCount(length) || length > MAX_MESSAGE_OCTETS) return undefined;
  // Each piece is whole but for the last: nobody can make us keep count of shreds.
  if (at % PART_OCTETS !== 0 || octets.length === 0) return undefined;
  if (octets.length !== Math.min(PART_OCTETS, length - at)) return undefined;
  return { kind: 'part', part: { document, heads, at, length, octets } };
}

function parseHeads(value: unknown): Heads | undefined {
  if (!(value instanceof Uint8Array) || value.length % HEAD_OCTETS !== 0) return undefined;
  if (value.length > MAX_HEADS * HEAD_OCTETS) return undefined;
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex');
}

function isDocumentName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_DOCUMENT_ID_LENGTH;
}
