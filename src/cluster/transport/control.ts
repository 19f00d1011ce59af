/**
 * Messages of the transport itself, which travel between frames of the cluster:
 *
 *   +---+------+------+          octet 0 is no channel, so that a frame is never taken for one
 *   | 0 | kind | body |
 *   +---+------+------+
 *
 * A kind that is not known is of a later version, and skipped.
 */
export const controls = {
  hello: 1,
  /** The node with the lesser name says: this connection is our session. Body: its id. */
  accept: 2,
  /** Why the connection ends now. Body: text. */
  goodbye: 3,
  /** Body: a number in 4 octets. */
  ping: 4,
  pong: 5,
  /** A renewed certificate, with proof that the sender has its key. */
  certificate: 6,
  /** How much has been received, in 8 octets; where frames pass through a broker. */
  received: 7,
} as const;

export type ControlKind = keyof typeof controls;

const kinds = new Map<number, ControlKind>(
  Object.entries(controls).map(([name, octet]) => [octet, name as ControlKind]),
);

export interface Control {
  readonly kind: ControlKind | 'unknown';
  readonly body: Uint8Array;
}

export function encodeControl(kind: ControlKind, body: Uint8Array): Uint8Array {
  const message = new Uint8Array(2 + body.length);
  message[1] = controls[kind];
  message.set(body, 2);
  return message;
}

/** Undefined for a frame. */
export function decodeControl(message: Uint8Array): Control | undefined {
  if (message[0] !== 0) return undefined;
  return { kind: kinds.get(message[1] ?? 0) ?? 'unknown', body: message.subarray(2) };
}

export function encodeNumber(number: number): Uint8Array {
  const body = new Uint8Array(4);
  new DataView(body.buffer).setUint32(0, number);
  return body;
}

export function decodeNumber(body: Uint8Array): number | undefined {
  if (body.length !== 4) return undefined;
  return new DataView(body.buffer, body.byteOffset).getUint32(0);
}

/** Reasons are shown to people: short, and without control characters. */
export function decodeText(body: Uint8Array): string {
  return Buffer.from(body.subarray(0, 200)).toString('utf8').replace(/\p{C}/gu, ' ');
}
