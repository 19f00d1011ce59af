import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeHealthCheckResponse,
  encodeHealthCheckRequest,
} from '../../src/probing/health-check-message.ts';

function decode(hex: string): string {
  return decodeHealthCheckResponse(Buffer.from(hex.replaceAll(' ', ''), 'hex')) ?? 'malformed';
}

it.each([
  { name: 'no service', given: '', want: '0000000000' },
  { name: 'a service', given: 'a.B', want: '00000000050a03612e42' },
])('encodes a request for $name', ({ given, want }) => {
  expect(Buffer.from(encodeHealthCheckRequest(given)).toString('hex')).toBe(want);
});

it('encodes the length of a long service as a varint', () => {
  const request = encodeHealthCheckRequest('é'.repeat(150));
  expect(Buffer.from(request.subarray(0, 10)).toString('hex')).toBe('000000012f0aac02c3a9');
});

describe('decodes a response', () => {
  it.each([
    { name: 'SERVING', given: '00 00000002 0801', want: 'SERVING' },
    { name: 'NOT_SERVING', given: '00 00000002 0802', want: 'NOT_SERVING' },
    { name: 'SERVICE_UNKNOWN', given: '00 00000002 0803', want: 'SERVICE_UNKNOWN' },
    { name: 'nothing, which is UNKNOWN', given: '00 00000000', want: 'UNKNOWN' },
    { name: 'a status of later versions', given: '00 00000002 0809', want: 'UNKNOWN' },
    { name: 'the last of two', given: '00 00000004 0801 0802', want: 'NOT_SERVING' },
    {
      name: 'fields of every kind that are not known',
      given: '00 00000017 1001 19 0000000000000000 2203616263 2d00000000 0801',
      want: 'SERVING',
    },
    { name: 'a negative status', given: '00 0000000b 08 ffffffffffffffffff01', want: 'UNKNOWN' },
    { name: 'a compressed message', given: '01 00000002 0801', want: 'malformed' },
    { name: 'two messages', given: '00 00000002 0801 00 00000002 0801', want: 'malformed' },
    { name: 'half a message', given: '00 00000002 08', want: 'malformed' },
    { name: 'half a prefix', given: '00 0000', want: 'malformed' },
    { name: 'a status that is a text', given: '00 00000003 0a0161', want: 'malformed' },
    { name: 'a group', given: '00 00000002 0b0c', want: 'malformed' },
    { name: 'a length past the end', given: '00 00000003 12ff01', want: 'malformed' },
    { name: 'a varint without an end', given: '00 0000000c 08 ffffffffffffffffffffff', want: 'malformed' },
  ])('$name', ({ given, want }) => {
    expect(decode(given)).toBe(want);
  });
});

it('decodes any octets without throwing', () => {
  const message = fc.uint8Array({ maxLength: 60 }).map((body) => {
    const octets = Buffer.concat([Buffer.alloc(5), body]);
    octets.writeUInt32BE(body.length, 1);
    return octets;
  });
  fc.assert(
    fc.property(fc.oneof(message, fc.uint8Array()), (octets) => {
      expect(['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN', undefined]).toContain(
        decodeHealthCheckResponse(octets),
      );
    }),
  );
});
