/**
 * An ICMP echo message (RFC 792; RFC 4443 section 4):
 *
 *      0      1      2          4               6            8
 *     +------+------+----------+---------------+------------+----------
 *     | type | code | checksum |  identifier   |  sequence  | payload
 *     +------+------+----------+---------------+------------+----------
 */
const HEADER_OCTETS = 8;
const CHECKSUM_AT = 2;
const IDENTIFIER_AT = 4;
const SEQUENCE_AT = 6;

const ECHO_REQUEST = { 4: 8, 6: 128 } as const;
const ECHO_REPLY = { 4: 0, 6: 129 } as const;

export interface EchoMessage {
  readonly identifier: number;
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** An echo request. The checksum of ICMPv6 covers addresses that only the kernel knows, and stays zero for it. */
export function encodeEchoRequest(family: 4 | 6, message: EchoMessage): Uint8Array {
  const octets = new Uint8Array(HEADER_OCTETS + message.payload.length);
  const view = new DataView(octets.buffer);
  octets[0] = ECHO_REQUEST[family];
  view.setUint16(IDENTIFIER_AT, message.identifier);
  view.setUint16(SEQUENCE_AT, message.sequence);
  octets.set(message.payload, HEADER_OCTETS);
  if (family === 4) view.setUint16(CHECKSUM_AT, checksumOf(octets));
  return octets;
}

/** Any octets; undefined unless they are an echo reply. `headerOctets` is what stands before the message. */
export function decodeEchoReply(
  family: 4 | 6,
  octets: Uint8Array,
  headerOctets: number,
): EchoMessage | undefined {
  const message = octets.subarray(headerOctets);
  if (message.length < HEADER_OCTETS || message[0] !== ECHO_REPLY[family] || message[1] !== 0)
    return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.length);
  return {
    identifier: view.getUint16(IDENTIFIER_AT),
    sequence: view.getUint16(SEQUENCE_AT),
    payload: message.subarray(HEADER_OCTETS),
  };
}

/** Length of the IPv4 header that a packet begins with (RFC 791 section 3.1). */
export function ipv4HeaderOctets(packet: Uint8Array): number {
  return ((packet[0] ?? 0) & 0x0f) * 4;
}

/** RFC 1071: the ones' complement of the ones' complement sum of 16-bit words. */
function checksumOf(octets: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < octets.length; at += 2) sum += ((octets[at] ?? 0) << 8) | (octets[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}
