import { encodeEchoRequest } from '../../src/probing/echo-message.ts';

/** An echo reply for IPv4: a request but for the type, whose 8 the checksum has in its upper octet. */
export function encodeEchoReply(identifier: number, sequence: number, payload: Uint8Array): Uint8Array {
  const reply = encodeEchoRequest(4, { identifier, sequence, payload });
  const view = new DataView(reply.buffer);
  view.setUint8(0, 0);
  const sum = view.getUint16(2) + 0x0800;
  view.setUint16(2, sum > 0xffff ? sum - 0xffff : sum);
  return reply;
}
