import type dgram from 'node:dgram';
import type net from 'node:net';
import { decodeMessage, encodeQuery, type Message } from '../dns/message.ts';
import { namesEqual } from '../dns/name.ts';
import { CLASS_IN } from '../dns/type.ts';
import { sendDatagram } from './datagram.ts';
import { excerpt, type ProbeRun } from './probe-run.ts';

/*
 * One question to a DNS server and its answer. Every limit is looked at before anything is decoded, and a message is
 * decoded only when its header and question are those of our question:
 *
 *     octets -> id, QR, opcode -> question -> too many? -> whole message -> judge
 *                  |                 |            |            '- not well-formed: malformed-response
 *                  |                 |            '- response-too-large, as with too many records; TCP: before all else
 *                  '-----------------'- UDP: passed over, up to MAX_STRAYS; TCP: malformed-response
 */
export interface DnsQuestion {
  /** Random: with the source port, what somebody who does not see our packets would have to guess (RFC 5452). */
  readonly id: number;
  /** Uncompressed. */
  readonly name: Uint8Array;
  readonly type: number;
  readonly recursionDesired: boolean;
}

/** Passes any path in one piece; we tell the server so (RFC 6891 section 6.2.3). */
const MAX_UDP_OCTETS = 1232;

/** Room for long texts; only a hostile server has more to say about one name. */
const MAX_TCP_OCTETS = 16_384;

/**
 * Of all sections together. What a message costs is names: each record may hold three, each by a chain of 127
 * pointers. With both limits the worst message takes eight milliseconds, and not forty.
 */
const MAX_RECORDS = 128;

/** Datagrams that answer another question before the run gives up on the peer. */
const MAX_STRAYS = 1000;

const HEADER_OCTETS = 12;

/** RFC 1035 section 4.2.2. */
const LENGTH_OCTETS = 2;

/** FORMERR, SERVFAIL, NOTIMP and REFUSED: servers that answer with them may leave the question out. */
const RCODES_WITHOUT_QUESTION: ReadonlySet<number> = new Set([1, 2, 4, 5]);

/** Asks over a connected UDP socket; the kernel drops what comes from elsewhere. */
export function askByUdp(
  run: ProbeRun,
  socket: dgram.Socket,
  question: DnsQuestion,
  judge: (answer: Message) => void,
): void {
  run.stage = 'waiting for the answer';
  let strays = 0;
  socket.on('message', (octets: Uint8Array) => {
    if (run.decided) return;
    if (!answers(octets, question)) {
      strays += 1;
      if (strays >= MAX_STRAYS)
        run.fail('malformed-response', `${MAX_STRAYS} messages that answer another question`);
      return;
    }
    judgeOctets(run, octets, MAX_UDP_OCTETS, judge);
  });
  sendDatagram(run, socket, encode(question));
}

/** Asks over an open TCP connection. */
export function askByTcp(
  run: ProbeRun,
  socket: net.Socket,
  question: DnsQuestion,
  judge: (answer: Message) => void,
): void {
  run.stage = 'waiting for the answer';
  let pieces: Uint8Array[] = [];
  let receivedOctets = 0;
  socket.on('data', (piece: Uint8Array) => {
    if (run.decided) return;
    pieces.push(piece);
    receivedOctets += piece.length;
    if (receivedOctets < LENGTH_OCTETS) return;
    const length = ((pieces[0]?.[0] ?? 0) << 8) | (pieces[0]?.[1] ?? pieces[1]?.[0] ?? 0);
    if (length <= MAX_TCP_OCTETS && receivedOctets < LENGTH_OCTETS + length) return;
    const octets = Buffer.concat(pieces).subarray(LENGTH_OCTETS, LENGTH_OCTETS + length);
    pieces = [];
    if (length > MAX_TCP_OCTETS) failTooLarge(run, length, MAX_TCP_OCTETS);
    else if (answers(octets, question)) judgeOctets(run, octets, MAX_TCP_OCTETS, judge);
    else {
      run.evidence.replyStart = excerpt(octets);
      run.fail('malformed-response', 'A message that does not answer the question');
    }
  });
  socket.once('end', () => {
    if (receivedOctets === 0) run.fail('connection-reset', 'Connection closed without an answer');
    else run.fail('malformed-response', 'Connection closed in the middle of the answer');
  });
  const query = encode(question);
  socket.write(Buffer.concat([Buffer.of(query.length >> 8, query.length & 0xff), query]));
}

function encode({ id, name, type, recursionDesired }: DnsQuestion): Uint8Array {
  const edns = { payloadSize: MAX_UDP_OCTETS, dnssecOk: false };
  return encodeQuery({ id, name, type, recursionDesired, edns });
}

/** Whether this is a response to the question: its id, and its question in any case (RFC 5452 section 9.1). */
function answers(octets: Uint8Array, { id, name, type }: DnsQuestion): boolean {
  if (octets.length < HEADER_OCTETS || uint16At(octets, 0) !== id) return false;
  const flags = uint16At(octets, 2);
  const isResponseToQuery = flags >> 11 === 0b1_0000;
  if (!isResponseToQuery) return false;
  const questions = uint16At(octets, 4);
  if (questions === 0) return RCODES_WITHOUT_QUESTION.has(flags & 0x0f);
  const end = HEADER_OCTETS + name.length;
  return (
    questions === 1 &&
    octets.length >= end + 4 &&
    namesEqual(octets.subarray(HEADER_OCTETS, end), name) &&
    uint16At(octets, end) === type &&
    uint16At(octets, end + 2) === CLASS_IN
  );
}

function judgeOctets(
  run: ProbeRun,
  octets: Uint8Array,
  limitOctets: number,
  judge: (answer: Message) => void,
): void {
  run.evidence.replyOctets = octets.length;
  if (octets.length > limitOctets) {
    failTooLarge(run, octets.length, limitOctets);
    return;
  }
  const records = uint16At(octets, 6) + uint16At(octets, 8) + uint16At(octets, 10);
  if (records > MAX_RECORDS) {
    run.fail('response-too-large', `An answer of ${records} records, more than ${MAX_RECORDS}`);
    return;
  }
  const message = decodeMessage(octets);
  if (message.ok) {
    judge(message.value);
  } else {
    run.evidence.replyStart = excerpt(octets);
    run.fail('malformed-response', message.problems[0]?.message ?? 'A malformed message');
  }
}

function failTooLarge(run: ProbeRun, octets: number, limitOctets: number): void {
  run.fail('response-too-large', `An answer of ${octets} octets, more than ${limitOctets}`);
}

function uint16At(octets: Uint8Array, offset: number): number {
  return ((octets[offset] ?? 0) << 8) | (octets[offset + 1] ?? 0);
}
