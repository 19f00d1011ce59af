import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_HEADER_OCTETS, ResponseReader } from '../../src/probing/http-reader.ts';

/** What is told of a response, in one line; `pieceLength` octets arrive at a time. */
function read(
  response: string,
  pieceLength: number,
  method = 'GET',
  close: 'closed' | 'open' = 'closed',
): string {
  const told: string[] = [];
  let body = '';
  const reader = new ResponseReader(method, {
    onHead: ({ status, location }) =>
      told.push(`${status}${location === undefined ? '' : ` to ${location}`}`),
    onBody: (octets) => {
      body += Buffer.from(octets).toString('latin1');
    },
    onComplete: () => told.push(`"${body}"`),
    onRefused: ({ reason }) => told.push(reason),
  });
  const octets = Buffer.from(response, 'latin1');
  // One buffer for all pieces, as sockets have it: whoever keeps a piece without copying it reads garbage.
  const lent = Buffer.alloc(Math.min(pieceLength, octets.length));
  for (let at = 0; at < octets.length; at += pieceLength) {
    const length = octets.copy(lent, 0, at, at + pieceLength);
    reader.read(lent.subarray(0, length));
    lent.fill('?');
  }
  if (close === 'closed') reader.end();
  return told.join(', ');
}

const OK = 'HTTP/1.1 200 OK\r\n';
const CHUNKED = `${OK}transfer-encoding: chunked\r\n\r\n`;

const cases: readonly {
  readonly name: string;
  readonly given: string;
  readonly want: string;
  readonly method?: string;
}[] = [
  { name: 'a body by its length', given: `${OK}Content-Length: 4\r\n\r\nwell`, want: '200, "well"' },
  {
    name: 'no more than that length',
    given: `${OK}content-length: 4\r\n\r\nwell, more`,
    want: '200, "well"',
  },
  { name: 'an empty body', given: `${OK}content-length: 0\r\n\r\n`, want: '200, ""' },
  { name: 'a body up to the close', given: `${OK}\r\nwell`, want: '200, "well"' },
  { name: 'a body in chunks', given: `${CHUNKED}2\r\nwe\r\n2\r\nll\r\n0\r\n\r\n`, want: '200, "well"' },
  {
    name: 'chunks with extensions and trailers',
    given: `${CHUNKED}0A;a="b"\r\n0123456789\r\n0\r\nx: y\r\nz: w\r\n\r\n`,
    want: '200, "0123456789"',
  },
  { name: 'a redirect', given: 'HTTP/1.1 302\r\nLocation: /a\r\n\r\n', want: '302 to /a, ""' },
  { name: 'HTTP/1.0', given: 'HTTP/1.0 503 No\r\n\r\nx', want: '503, "x"' },
  {
    name: 'interim responses before the answer',
    given: `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nlink: x\r\n\r\n${OK}\r\nwell`,
    want: '200, "well"',
  },
  { name: 'a switch of protocols', given: 'HTTP/1.1 101 S\r\nupgrade: x\r\n\r\nxx', want: '101, ""' },
  { name: 'no body after HEAD', given: `${OK}content-length: 9\r\n\r\n`, want: '200, ""', method: 'HEAD' },
  { name: 'no body with 204', given: 'HTTP/1.1 204 No\r\ncontent-length: 9\r\n\r\n', want: '204, ""' },
  { name: 'nothing', given: '', want: 'connection-reset' },
  { name: 'half a head', given: `${OK}x: `, want: 'connection-reset' },
  { name: 'half a body', given: `${OK}content-length: 9\r\n\r\nwell`, want: '200, connection-reset' },
  { name: 'half the chunks', given: `${CHUNKED}9\r\nwell`, want: '200, connection-reset' },
  { name: 'another protocol', given: 'SSH-2.0-x\r\n\r\n', want: 'malformed-response' },
  { name: 'another version', given: 'HTTP/2 200\r\n\r\n', want: 'malformed-response' },
  { name: 'a status that is none', given: 'HTTP/1.1 2000 OK\r\n\r\n', want: 'malformed-response' },
  { name: 'a line that ends without CR', given: `${OK}x: y\nz: w\r\n\r\n`, want: 'malformed-response' },
  { name: 'a folded header', given: `${OK}x: y\r\n  z\r\n\r\n`, want: 'malformed-response' },
  { name: 'a header without a colon', given: `${OK}xyz\r\n\r\n`, want: 'malformed-response' },
  {
    name: 'a space before the colon',
    given: `${OK}content-length : 4\r\n\r\nwell`,
    want: 'malformed-response',
  },
  { name: 'NUL in a header', given: `${OK}x: \0\r\n\r\n`, want: 'malformed-response' },
  {
    name: 'two lengths',
    given: `${OK}content-length: 4\r\ncontent-length: 5\r\n\r\nwell`,
    want: 'malformed-response',
  },
  { name: 'a length that is none', given: `${OK}content-length: -4\r\n\r\nwell`, want: 'malformed-response' },
  {
    name: 'a length beside chunks',
    given: `${OK}content-length: 4\r\ntransfer-encoding: chunked\r\n\r\n`,
    want: 'malformed-response',
  },
  { name: 'a chunk without size', given: `${CHUNKED};\r\n\r\n`, want: '200, malformed-response' },
  { name: 'a chunk of any size', given: `${CHUNKED}${'f'.repeat(13)}\r\n`, want: '200, malformed-response' },
  { name: 'a chunk longer than it says', given: `${CHUNKED}2\r\nwell\r\n`, want: '200, malformed-response' },
  {
    name: 'extensions without end',
    given: `${CHUNKED}1;${'x'.repeat(MAX_HEADER_OCTETS)}`,
    want: '200, response-too-large',
  },
  {
    name: 'trailers without end',
    given: `${CHUNKED}0\r\n${'x: y\r\n'.repeat(MAX_HEADER_OCTETS / 6 + 1)}`,
    want: '200, response-too-large',
  },
  {
    name: 'headers without end',
    given: OK + 'x: y\r\n'.repeat(MAX_HEADER_OCTETS / 6 + 1),
    want: 'response-too-large',
  },
  {
    name: 'a header without end',
    given: `${OK}x: ${'y'.repeat(MAX_HEADER_OCTETS)}`,
    want: 'response-too-large',
  },
  {
    name: 'interim responses without end',
    given: 'HTTP/1.1 100 Continue\r\n\r\n'.repeat(MAX_HEADER_OCTETS / 25 + 1),
    want: 'response-too-large',
  },
];

describe.each([1, 3, 7, 1_000_000])('in pieces of %i octets', (pieceLength) => {
  it.each(cases)('reads $name', ({ given, want, method }) => {
    const told = read(given, pieceLength, method);
    // What arrives after chunks that cannot be read is of no interest, whether there was data before or not.
    expect(told.replace(/"[^"]*"(?=, (?:malformed|response))/, '')).toBe(want);
  });
});

it('refuses what is no HTTP before it is complete', () => {
  expect(read('220 mail.example.org', 1, 'GET', 'open')).toBe('malformed-response');
});

it('never throws, and tells the same however the octets arrive', () => {
  const part = fc.constantFrom(
    ...[
      OK,
      CHUNKED,
      '\r\n',
      '\n',
      '\r',
      'x: y',
      'content-length: 3',
      'transfer-encoding: chunked',
      '3',
      'abc',
      '0',
      ':',
      '\0',
    ],
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 12 }), fc.integer({ min: 1, max: 20 }), (parts, pieceLength) => {
      const response = parts.join('');
      expect(read(response, pieceLength)).toBe(read(response, 1_000_000));
    }),
    { numRuns: 500 },
  );
});
