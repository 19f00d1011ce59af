import dns2 from 'dns2';

/** The answer to a query over TCP, by a codec that shares nothing with ours: one A record. */
export function answerDns(framedQuery: Uint8Array, address: string): Buffer {
  const query = dns2.Packet.parse(Buffer.from(framedQuery.subarray(2)));
  const response = dns2.Packet.createResponseFromRequest(query);
  const [question] = query.questions;
  if (question === undefined) throw new Error('a query without a question');
  response.answers.push(dns2.Packet.createResourceFromQuestion(question, { ttl: 60, address }));
  const octets = response.toBuffer();
  return Buffer.concat([Buffer.of(octets.length >> 8, octets.length & 0xff), octets]);
}
