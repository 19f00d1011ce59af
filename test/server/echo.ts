import { formatAddress } from '../../src/dns/address.ts';
import { createCounters, openCounters } from '../../src/observe/counters.ts';
import type { AnswerQuery } from '../../src/server/answerer.ts';
import type { TransportParts } from '../../src/server/run-worker.ts';
import { defaultServerLimits, type ServerLimits } from '../../src/server/server-limits.ts';

/** A header with this id; the octets after it say how long the answer is to be, and 0 asks for none. */
export function echoQuery(id: number, answerLength: number): Buffer {
  const query = Buffer.alloc(16);
  query.writeUInt16BE(id);
  query.writeUInt32BE(answerLength, 12);
  return query;
}

/** Answers, also in place, with the id, and the client's address where there is room for it. */
const echo: AnswerQuery = (request, requestLength, client, _transport, response) => {
  const view = Buffer.from(request.buffer, request.byteOffset, requestLength);
  const asked = requestLength < 16 ? requestLength : view.readUInt32BE(12);
  const length = Math.min(asked, response.length);
  const id = view.readUInt16BE(0);
  response.fill(0, 0, length);
  response[0] = id >> 8;
  response[1] = id & 0xff;
  const text = formatAddress(client.octets.slice(0, client.family === 4 ? 4 : 16));
  if (length >= 2 + text.length) response.set(Buffer.from(text), 2);
  return length;
};

/** What a transport needs, with an answer that tests can foretell. */
export function echoParts(limits: ServerLimits = defaultServerLimits): TransportParts {
  return { answer: echo, tick: () => undefined, counters: openCounters(createCounters()), limits };
}

export function idOf(message: Buffer | undefined): number {
  return message?.readUInt16BE(0) ?? -1;
}
