import { HEADER_LENGTH } from '../dns/query.ts';
import { RCODE_SERVFAIL } from '../dns/rcode.ts';

/** RFC 1035 section 2.3.4. */
const MAX_NAME_OCTETS = 255;
/** QTYPE and QCLASS. */
const QUESTION_TAIL_OCTETS = 4;

/**
 * The answer of last resort, for a query on which our own code failed: the header turned into a response with
 * SERVFAIL, and the question where it can be copied. Returns its length; 0, to send nothing, for what is no query.
 */
export function encodeServfail(request: Uint8Array, requestLength: number, response: Uint8Array): number {
  if (requestLength < HEADER_LENGTH || (octetAt(request, 2) & 0x80) !== 0) return 0;
  const end = endOfQuestion(request, requestLength);
  const length = end === 0 ? HEADER_LENGTH : end;
  for (let at = 0; at < length; at++) response[at] = octetAt(request, at);
  // QR set, OPCODE and RD as they came; AA, TC and all of the next octet but the code are zero.
  response[2] = 0x80 | (octetAt(request, 2) & 0x79);
  response[3] = RCODE_SERVFAIL;
  response.fill(0, 4, HEADER_LENGTH);
  response[5] = end === 0 ? 0 : 1;
  return length;
}

/** Where the question ends; 0 unless there is exactly one, whole and without compression. */
function endOfQuestion(request: Uint8Array, requestLength: number): number {
  if (octetAt(request, 4) !== 0 || octetAt(request, 5) !== 1) return 0;
  let at = HEADER_LENGTH;
  while (at < requestLength && at < HEADER_LENGTH + MAX_NAME_OCTETS) {
    const length = octetAt(request, at);
    if (length > 63) return 0;
    at += length + 1;
    if (length === 0) return at + QUESTION_TAIL_OCTETS <= requestLength ? at + QUESTION_TAIL_OCTETS : 0;
  }
  return 0;
}

function octetAt(octets: Uint8Array, at: number): number {
  return octets[at] as number;
}
