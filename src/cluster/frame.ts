/**
 * Frames: what two peers send each other over a session of any transport.
 *
 *   +---------+------------------------------+
 *   | channel | one value as MessagePack     |
 *   | 1 octet | at most 8 MiB with the octet |
 *   +---------+------------------------------+
 *
 * Values are plain: null, booleans, numbers, strings, octets, arrays, and objects with string keys.
 * A frame comes from the network, so its form is walked before anything is built from it: no extension types, no
 * claim of more elements than there are octets, bounded depth and number of values. What comes out is `unknown`;
 * each part of the cluster parses its own.
 */
import { Packr, Unpackr } from 'msgpackr';

/** Which part of the cluster a frame is for. Octet 0; a number that is not here is skipped, for newer peers' sake. */
export const channels = { members: 1, documents: 2, blobs: 3, observations: 4 } as const;

export type Channel = keyof typeof channels;

/** The channel octet with its value. A part that has more to send than fits splits it. */
export const MAX_FRAME_OCTETS = 8 * 1024 * 1024;

/** Deeper than any message of ours, and far from where recursion ends the stack. */
const MAX_FRAME_DEPTH = 32;

/** Ten thousand observations of twenty fields; half a million empty arrays are about 10 MB when built. */
const MAX_FRAME_VALUES = 500_000;

export interface Frame {
  readonly channel: Channel;
  readonly value: unknown;
}

export type DecodedFrame =
  | { readonly ok: true; readonly frame: Frame }
  /** From a newer peer; to be ignored and counted. */
  | { readonly ok: false; readonly reason: 'unknown-channel' }
  | { readonly ok: false; readonly reason: 'malformed' };

// Records are an extension of this library; without them any MessagePack reader can follow.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, encodeUndefinedAsNil: true });
const unpackr = new Unpackr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  copyBuffers: true,
});

const channelByOctet = new Map<number, Channel>(
  Object.entries(channels).map(([name, octet]) => [octet, name as Channel]),
);

/** Throws when the value is too large for a frame: that is a bug of the sender, which has to split it. */
export function encodeFrame(channel: Channel, value: unknown): Uint8Array {
  const body = packr.pack(value);
  if (body.length >= MAX_FRAME_OCTETS)
    throw new RangeError(`a ${channel} frame of ${body.length + 1} octets is over ${MAX_FRAME_OCTETS}`);
  const frame = new Uint8Array(body.length + 1);
  frame[0] = channels[channel];
  frame.set(body, 1);
  return frame;
}

/** Throws for what no peer could read as a frame: that is a bug of whoever sends it. */
export function refuseMalformed(frame: Uint8Array): void {
  if (frame.length === 0 || frame.length > MAX_FRAME_OCTETS || frame[0] === 0)
    throw new RangeError(`a frame has 1 to ${MAX_FRAME_OCTETS} octets and begins with its channel`);
}

/** Never throws. Octets in the value are copies, so that a small one does not hold on to the whole frame. */
export function decodeFrame(octets: Uint8Array): DecodedFrame {
  if (octets.length < 2 || octets.length > MAX_FRAME_OCTETS) return { ok: false, reason: 'malformed' };
  const channel = channelByOctet.get(octets[0] ?? 0);
  if (channel === undefined) return { ok: false, reason: 'unknown-channel' };
  const value = decodeValue(octets.subarray(1));
  return value.ok ? { ok: true, frame: { channel, value: value.value } } : value;
}

/** One bounded MessagePack value that takes all of the octets. Never throws. */
export function decodeValue(
  octets: Uint8Array,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly reason: 'malformed' } {
  if (!isBoundedValue(octets)) return { ok: false, reason: 'malformed' };
  try {
    // A plain view of them: from a Buffer the library would make Buffers.
    const plain = new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
    return { ok: true, value: unpackr.unpack(plain) };
  } catch {
    // The walk lets nothing through that is known to throw; the library is not ours to vouch for.
    return { ok: false, reason: 'malformed' };
  }
}

export function encodeValue(value: unknown): Uint8Array {
  return new Uint8Array(packr.pack(value));
}

/** Whether the octets are exactly one value within the bounds, with string keys alone and no extension types. */
function isBoundedValue(octets: Uint8Array): boolean {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  // Values still to come at each depth; a map counts keys and values, and even counts are keys.
  const left = new Uint32Array(MAX_FRAME_DEPTH + 1);
  const isMap = new Uint8Array(MAX_FRAME_DEPTH + 1);
  let depth = 0;
  let at = 0;
  let values = 0;
  left[0] = 1;
  while (depth >= 0) {
    const remaining = left[depth] ?? 0;
    if (remaining === 0) {
      depth -= 1;
      continue;
    }
    if (at >= octets.length || ++values > MAX_FRAME_VALUES) return false;
    left[depth] = remaining - 1;
    const head = octets[at] ?? 0;
    if (isMap[depth] === 1 && remaining % 2 === 0 && !isStringHead(head)) return false;
    const shape = shapeAt(view, at, head);
    if (shape === undefined) return false;
    at += shape.octets;
    if (shape.elements === 0) continue;
    // Every element takes an octet at least, so a claim of more is a lie told to have memory set aside.
    if (shape.elements > octets.length - at || depth === MAX_FRAME_DEPTH) return false;
    depth += 1;
    left[depth] = shape.elements;
    isMap[depth] = shape.isMap ? 1 : 0;
  }
  return at === octets.length;
}

function isStringHead(head: number): boolean {
  return (head >= 0xa0 && head <= 0xbf) || (head >= 0xd9 && head <= 0xdb);
}

interface Shape {
  /** Of the head and what follows it, without elements. */
  readonly octets: number;
  readonly elements: number;
  readonly isMap: boolean;
}

/** The MessagePack formats by their first octet (specification of MessagePack, "Formats"). */
function shapeAt(view: DataView, at: number, head: number): Shape | undefined {
  if (head <= 0x7f || head >= 0xe0) return scalar(1);
  if (head <= 0x8f) return container(1, (head & 0x0f) * 2, true);
  if (head <= 0x9f) return container(1, head & 0x0f, false);
  if (head <= 0xbf) return scalar(1 + (head & 0x1f));
  const fixed = fixedOctets[head];
  if (fixed !== undefined) return scalar(fixed);
  const lengthOctets = lengthOctetsOf[head];
  if (lengthOctets === undefined || at + 1 + lengthOctets > view.byteLength) return undefined;
  const length = readLength(view, at + 1, lengthOctets);
  if (head >= 0xde) return container(1 + lengthOctets, length * 2, true);
  if (head >= 0xdc) return container(1 + lengthOctets, length, false);
  return scalar(1 + lengthOctets + length);
}

/** nil, booleans, floats and integers. */
const fixedOctets: Readonly<Record<number, number>> = {
  192: 1,
  194: 1,
  195: 1,
  202: 5,
  203: 9,
  204: 2,
  205: 3,
  206: 5,
  207: 9,
  208: 2,
  209: 3,
  210: 5,
  211: 9,
};

/** bin, str, array and map with a length of their own; extension types are absent, and so refused. */
const lengthOctetsOf: Readonly<Record<number, number>> = {
  196: 1,
  197: 2,
  198: 4,
  217: 1,
  218: 2,
  219: 4,
  220: 2,
  221: 4,
  222: 2,
  223: 4,
};

function readLength(view: DataView, at: number, octets: number): number {
  if (octets === 1) return view.getUint8(at);
  return octets === 2 ? view.getUint16(at) : view.getUint32(at);
}

function scalar(octets: number): Shape {
  return { octets, elements: 0, isMap: false };
}

function container(octets: number, elements: number, isMap: boolean): Shape {
  return { octets, elements, isMap };
}
