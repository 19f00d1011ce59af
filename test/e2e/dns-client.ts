import { createSocket } from 'node:dgram';
import { createConnection } from 'node:net';
import dns2 from 'dns2';
import { parsePrefix } from '../../src/dns/address.ts';
import { decodeMessage, encodeQuery, type Message } from '../../src/dns/message.ts';
import { parseName } from '../../src/dns/name.ts';
import { parseType } from '../../src/dns/type.ts';

const ANSWER_TIMEOUT_MS = 5000;

export interface Question {
  readonly name: string;
  readonly type: string;
  /** Client subnet as a prefix: `192.0.2.0/24`. */
  readonly subnet?: string;
}

/** The query's octets, with EDNS when a client subnet is given. */
export function queryOf({ name, type, subnet }: Question, id = 1): Uint8Array {
  const wire = parseName(name);
  const code = parseType(type);
  if (!wire.ok || code === undefined) throw new Error(`not a question: ${name} ${type}`);
  const prefix = subnet === undefined ? undefined : parsePrefix(subnet);
  return encodeQuery({
    name: wire.value,
    type: code,
    id,
    recursionDesired: false,
    ...(prefix === undefined
      ? {}
      : {
          edns: {
            payloadSize: 1232,
            dnssecOk: false,
            clientSubnet: { family: prefix.family, octets: prefix.octets, sourcePrefixLength: prefix.length },
          },
        }),
  });
}

/** Asks once over UDP; undefined when no answer came in time. */
export function askUdp(
  port: number,
  question: Question,
  address = '127.0.0.1',
): Promise<Message | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4');
    const timer = setTimeout(() => finish(undefined), ANSWER_TIMEOUT_MS);
    function finish(answer: Message | undefined): void {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    }
    socket.on('message', (octets) => finish(decoded(octets)));
    socket.on('error', () => finish(undefined));
    socket.send(queryOf(question), port, address);
  });
}

/** Asks once over TCP; undefined when the connection ended without a whole answer. */
export function askTcp(port: number, question: Question): Promise<Message | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => finish(undefined), ANSWER_TIMEOUT_MS);
    function finish(answer: Message | undefined): void {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    }
    socket.on('connect', () => {
      const query = queryOf(question);
      socket.write(Buffer.concat([Buffer.from([query.length >> 8, query.length & 0xff]), query]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0))
        finish(decoded(received.subarray(2, 2 + received.readUInt16BE(0))));
    });
    socket.on('error', () => finish(undefined));
    socket.on('close', () => finish(undefined));
  });
}

/** The addresses (or other rdata, as text) of the answer section. */
export async function addressesOf(
  port: number,
  question: Question,
  address?: string,
): Promise<readonly string[]> {
  const message = await askUdp(port, question, address);
  return message?.answers.map((record) => record.text) ?? [];
}

/** Asks through `dns2`, which shares no code with us. */
export async function askIndependently(
  port: number,
  name: string,
  type: 'A' | 'AAAA',
  clientIp?: string,
): Promise<readonly string[]> {
  const ask = dns2.UDPClient({ dns: '127.0.0.1', port });
  const answer = await ask(name, type, dns2.Packet.CLASS.IN, clientIp === undefined ? {} : { clientIp });
  return answer.answers.map((record) => ('address' in record ? String(record.address) : ''));
}

function decoded(octets: Uint8Array): Message | undefined {
  const message = decodeMessage(octets);
  return message.ok ? message.value : undefined;
}
