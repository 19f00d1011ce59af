/* Asks many steered questions over UDP, some under way at a time, and hands over what was answered. */
import { createSocket } from 'node:dgram';
import { decodeMessage, encodeQuery } from '../../src/dns/message.ts';
import { parseName } from '../../src/dns/name.ts';
import { TYPE_A } from '../../src/dns/type.ts';
import { STEERED } from '../ground/zones.ts';

/** Below what the receive buffer of any server holds. */
const UNDER_WAY = 64;
const TIMEOUT_MS = 1000;
const MOST_TRIES = 5;

export interface ClientPrefix {
  readonly family: 4 | 6;
  /** 4 or 16 octets. */
  readonly octets: Uint8Array;
  readonly length: number;
}

export interface SteeredAnswer {
  /** The first address of the answer; empty without one. */
  readonly address: string;
  /** RFC 7871; undefined where the server sent no client subnet. */
  readonly scope: number | undefined;
}

/** The answers in the order of the clients; throws when one does not come. */
export async function askSteered(
  port: number,
  clients: readonly ClientPrefix[],
): Promise<readonly SteeredAnswer[]> {
  const name = parseName(STEERED);
  if (!name.ok) throw new Error(`${STEERED} is no name`);
  const answers = new Array<SteeredAnswer>(clients.length);
  const socket = createSocket('udp4');
  const waiting = new Map<number, () => void>();
  let next = 0;
  socket.on('message', (octets) => {
    const message = decodeMessage(octets);
    if (!message.ok) return;
    const settle = waiting.get(message.value.id);
    if (settle === undefined) return;
    answers[indexOf.get(message.value.id) ?? 0] = {
      address: message.value.answers[0]?.text ?? '',
      scope: message.value.edns?.clientSubnet?.scopePrefixLength,
    };
    settle();
  });
  const indexOf = new Map<number, number>();
  const ask = async (id: number, index: number, client: ClientPrefix): Promise<void> => {
    const { family, octets, length: sourcePrefixLength } = client;
    const clientSubnet = { family, octets, sourcePrefixLength };
    const edns = { payloadSize: 1232, dnssecOk: false, clientSubnet };
    const query = encodeQuery({ name: name.value, type: TYPE_A, id, recursionDesired: false, edns });
    indexOf.set(id, index);
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const answered = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), TIMEOUT_MS);
        waiting.set(id, () => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve(true);
        });
        socket.send(query, port, '127.0.0.1');
      });
      if (answered) return;
    }
    throw new Error(`no answer on port ${port} after ${MOST_TRIES} tries`);
  };
  const lane = async (first: number): Promise<void> => {
    // Numbers of a lane differ from those of all others, and from its own for a thousand queries.
    for (let turn = 0; ; turn++) {
      const index = next++;
      const client = clients[index];
      if (client === undefined) return;
      await ask((turn % 1000) * UNDER_WAY + first, index, client);
    }
  };
  try {
    await Promise.all(Array.from({ length: UNDER_WAY }, (_, first) => lane(first)));
  } finally {
    socket.close();
  }
  return answers;
}
