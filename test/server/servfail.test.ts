import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeServfail } from '../../src/server/servfail.ts';

const question = '03777777076578616d706c65036f72670000010001';

function answerTo(hex: string): string {
  const request = Buffer.from(hex.replaceAll(' ', ''), 'hex');
  const response = Buffer.alloc(65_535);
  return response.subarray(0, encodeServfail(request, request.length, response)).toString('hex');
}

const cases = [
  {
    name: 'a query keeps its id, opcode, RD and question',
    given: `abcd 0100 0001 0000 0000 0000 ${question}`,
    want: `abcd81020001000000000000${question}`,
  },
  {
    name: 'an OPT record is left out',
    given: `abcd 0000 0001 0000 0000 0001 ${question} 0000291000000000000000`,
    want: `abcd80020001000000000000${question}`,
  },
  {
    name: 'flags that answers set are cleared',
    given: `abcd 07b0 0001 0000 0000 0000 ${question}`,
    want: `abcd81020001000000000000${question}`,
  },
  {
    name: 'opcode 4 comes back',
    given: `abcd 2000 0001 0000 0000 0000 ${question}`,
    want: `abcda0020001000000000000${question}`,
  },
  {
    name: 'a cut question is left out',
    given: 'abcd 0000 0001 0000 0000 0000 0377',
    want: 'abcd80020000000000000000',
  },
  {
    name: 'two questions are left out',
    given: `abcd 0000 0002 0000 0000 0000 ${question} ${question}`,
    want: 'abcd80020000000000000000',
  },
  {
    name: 'a compressed question is left out',
    given: 'abcd 0000 0001 0000 0000 0000 c00c00010001',
    want: 'abcd80020000000000000000',
  },
  { name: 'a response is not answered', given: `abcd 8180 0001 0000 0000 0000 ${question}`, want: '' },
  { name: 'less than a header is not answered', given: 'abcd 0100 0001 0000 0000', want: '' },
];

describe('encodeServfail', () => {
  it.each(cases)('$name', ({ given, want }) => {
    expect(answerTo(given)).toBe(want);
  });

  it('answers any octets with less than it was given, or nothing', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (request) => {
        const length = encodeServfail(request, request.length, new Uint8Array(65_535));
        expect(length).toBeLessThanOrEqual(request.length);
      }),
    );
  });
});
