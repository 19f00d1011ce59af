/*
 * The two messages of grpc.health.v1 in protocol buffers, each behind gRPC's own five octets:
 *
 *     +------------+-------------------------+------------------------------------------+
 *     | compressed | length, 4 octets        | HealthCheckRequest { string service = 1 }  |
 *     | 0          | in network order        | HealthCheckResponse { enum status = 1 }    |
 *     +------------+-------------------------+------------------------------------------+
 *
 * Each field is a tag (number << 3 | wire type), then a varint (type 0), 8 octets (1), a length and as many octets (2)
 * or 4 octets (5). A field that is left out has its default: no service, status UNKNOWN.
 */

/** HealthCheckResponse.ServingStatus. */
export type ServingStatus = 'UNKNOWN' | 'SERVING' | 'NOT_SERVING' | 'SERVICE_UNKNOWN';

const STATUSES: readonly ServingStatus[] = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'];

export const GRPC_PREFIX_OCTETS = 5;

const SERVICE_TAG = 0x0a;
const STATUS_FIELD = 1;

/** A varint has at most 64 bits in groups of seven. */
const MAX_VARINT_OCTETS = 10;

/** The request with its prefix; `service` is empty for the server as a whole. */
export function encodeHealthCheckRequest(service: string): Uint8Array {
  const name = Buffer.from(service);
  const field = name.length === 0 ? [] : [SERVICE_TAG, ...encodeVarint(name.length), ...name];
  const request = Buffer.alloc(GRPC_PREFIX_OCTETS + field.length);
  request.writeUInt32BE(field.length, 1);
  request.set(field, GRPC_PREFIX_OCTETS);
  return request;
}

/** The status in a response with its prefix; undefined where it is not one whole uncompressed message. */
export function decodeHealthCheckResponse(octets: Uint8Array): ServingStatus | undefined {
  const view = Buffer.from(octets.buffer, octets.byteOffset, octets.length);
  if (view.length < GRPC_PREFIX_OCTETS || view[0] !== 0) return undefined;
  if (view.readUInt32BE(1) !== view.length - GRPC_PREFIX_OCTETS) return undefined;
  let status = 0;
  let offset = GRPC_PREFIX_OCTETS;
  while (offset < view.length) {
    const tag = readVarint(view, offset);
    if (tag === undefined) return undefined;
    const field = readField(view, tag.end, tag.value & 7);
    if (field === undefined || field.end > view.length) return undefined;
    // The last one of a field counts, and fields that are not known are passed over.
    if (tag.value >>> 3 === STATUS_FIELD) {
      if ((tag.value & 7) !== 0) return undefined;
      status = field.value;
    }
    offset = field.end;
  }
  return STATUSES[status] ?? 'UNKNOWN';
}

interface Read {
  readonly value: number;
  readonly end: number;
}

function readField(octets: Uint8Array, offset: number, wireType: number): Read | undefined {
  switch (wireType) {
    case 0:
      return readVarint(octets, offset);
    case 1:
      return { value: 0, end: offset + 8 };
    case 2: {
      const length = readVarint(octets, offset);
      return length === undefined ? undefined : { value: 0, end: length.end + length.value };
    }
    case 5:
      return { value: 0, end: offset + 4 };
    default:
      return undefined;
  }
}

/** The low 32 bits: more are in no tag, length or status that is meant. */
function readVarint(octets: Uint8Array, offset: number): Read | undefined {
  let value = 0;
  for (let i = 0; i < MAX_VARINT_OCTETS; i += 1) {
    const octet = octets[offset + i];
    if (octet === undefined) return undefined;
    if (i < 5) value |= (octet & 0x7f) << (7 * i);
    if (octet < 0x80) return { value: value >>> 0, end: offset + i + 1 };
  }
  return undefined;
}

function encodeVarint(value: number): readonly number[] {
  const octets: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    octets.push((rest & 0x7f) | 0x80);
    rest >>>= 7;
  }
  return [...octets, rest];
}
