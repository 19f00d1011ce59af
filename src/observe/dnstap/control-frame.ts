/*
 * Frames of the frame streams protocol, as the fstrm library has it; all numbers are 32 bits in network order:
 *
 *     data frame       length | octets
 *     control frame    0 | length | type | fields: kind, length, octets
 */
const CONTROL_TYPES = { accept: 1, start: 2, stop: 3, ready: 4, finish: 5 } as const;
export type ControlKind = keyof typeof CONTROL_TYPES;

const kindsByType = new Map<number, ControlKind>(
  (Object.keys(CONTROL_TYPES) as ControlKind[]).map((kind) => [CONTROL_TYPES[kind], kind]),
);

const CONTENT_TYPE_FIELD = 1;
const WORD = 4;
const FIELD_HEADER = 2 * WORD;

/** fstrm's own `FSTRM_CONTROL_FRAME_LENGTH_MAX`. */
const MAX_CONTROL_OCTETS = 512;

export interface ControlFrame {
  readonly kind: ControlKind;
  readonly contentTypes: readonly string[];
}

/** A control frame; without a content type where it has none. */
export function encodeControl(kind: ControlKind, contentType?: string): Buffer {
  const content = contentType === undefined ? undefined : Buffer.from(contentType);
  const length = WORD + (content === undefined ? 0 : FIELD_HEADER + content.length);
  const octets = Buffer.alloc(2 * WORD + length);
  octets.writeUInt32BE(length, WORD);
  octets.writeUInt32BE(CONTROL_TYPES[kind], 2 * WORD);
  if (content !== undefined) {
    octets.writeUInt32BE(CONTENT_TYPE_FIELD, 3 * WORD);
    octets.writeUInt32BE(content.length, 4 * WORD);
    octets.set(content, 5 * WORD);
  }
  return octets;
}

/** Data frames, one after the other. */
export function encodeFrames(frames: readonly Buffer[]): Buffer {
  const octets = Buffer.allocUnsafe(frames.reduce((sum, frame) => sum + WORD + frame.length, 0));
  let at = 0;
  for (const frame of frames) {
    at = octets.writeUInt32BE(frame.length, at);
    octets.set(frame, at);
    at += frame.length;
  }
  return octets;
}

/** Control frames out of a stream, which may be cut anywhere. A collector sends nothing else. */
export class ControlFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** Throws on anything that is no control frame. */
  read(chunk: Buffer): readonly ControlFrame[] {
    const frames: ControlFrame[] = [];
    let octets = Buffer.concat([this.#rest, chunk]);
    while (octets.length >= 2 * WORD) {
      const length = octets.readUInt32BE(WORD);
      if (octets.readUInt32BE(0) !== 0 || length < WORD || length > MAX_CONTROL_OCTETS)
        throw new Error('the collector does not speak frame streams');
      if (octets.length < 2 * WORD + length) break;
      frames.push(decodeControl(octets.subarray(2 * WORD, 2 * WORD + length)));
      octets = octets.subarray(2 * WORD + length);
    }
    this.#rest = octets;
    return frames;
  }
}

function decodeControl(octets: Buffer): ControlFrame {
  const kind = kindsByType.get(octets.readUInt32BE(0));
  if (kind === undefined) throw new Error('the collector sent a control frame of an unknown type');
  const contentTypes: string[] = [];
  let at = WORD;
  while (at + FIELD_HEADER <= octets.length) {
    const end = at + FIELD_HEADER + octets.readUInt32BE(at + WORD);
    if (end > octets.length) throw new Error('the collector sent a control frame that is cut short');
    if (octets.readUInt32BE(at) === CONTENT_TYPE_FIELD)
      contentTypes.push(octets.toString('utf8', at + FIELD_HEADER, end));
    at = end;
  }
  return { kind, contentTypes };
}
