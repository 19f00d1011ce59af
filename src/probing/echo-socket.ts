import { randomBytes } from 'node:crypto';
import type dgram from 'node:dgram';
import net from 'node:net';
import type { NativePing } from '../server/native-ping.ts';
import { connectDatagram, sendDatagram } from './datagram.ts';
import { decodeEchoReply, encodeEchoRequest, ipv4HeaderOctets } from './echo-message.ts';
import type { ProbeTarget } from './probe.ts';
import type { ProbeRun } from './probe-run.ts';
import { codeOf } from './socket-error.ts';

/** `dgram` wants a port, and ICMP has none: any will do. */
const NO_PORT = 1;

/** Nobody who has not seen the request can answer it; the rest of a payload is zeros. */
export const NONCE_OCTETS = 8;

/**
 * One run's way to send echo requests to one address and to hear the replies to them.
 *
 * Each run has a socket of its own, as every other probe has: the kernel then tells replies to different runs apart,
 * a flood that reaches one run's identifier fills no other's queue, and nothing outlives the run.
 */
export interface EchoSocket {
  /** Sends a request; `onAnswered` may get its sequence number from then on, several times if the peer repeats itself. */
  send(sequence: number): void;
}

interface EchoCallbacks {
  readonly onConnected: (socket: EchoSocket) => void;
  readonly onAnswered: (sequence: number) => void;
  /** Something came that answers none of this run's requests. */
  readonly onStray: () => void;
}

interface EchoShape {
  readonly family: 4 | 6;
  readonly identifier: number;
  readonly payload: Uint8Array;
  /** A raw socket for IPv4 receives the IP header, too. */
  readonly kind: 'ping' | 'raw';
}

/** Opens the kernel's ping socket, or a raw socket where that is forbidden and this process may. */
export function openEchoSocket(
  run: ProbeRun,
  target: ProbeTarget,
  native: NativePing,
  payloadOctets: number,
  callbacks: EchoCallbacks,
): void {
  const random = randomBytes(NONCE_OCTETS + 2);
  const payload = new Uint8Array(payloadOctets);
  payload.set(random.subarray(0, NONCE_OCTETS));
  const family = net.isIPv6(target.address) ? 6 : 4;
  const identifier = random.readUInt16BE(NONCE_OCTETS);
  let kind: EchoShape['kind'] = 'ping';
  const to = { ...target, port: NO_PORT };
  const bind = (socket: dgram.Socket): void => {
    kind = bindEcho(socket, native, family, identifier);
    run.evidence.socket = kind;
  };
  connectDatagram(run, to, bind, (socket) => {
    const shape = { family, identifier, payload, kind } as const;
    const peer = socket.remoteAddress().address;
    socket.on('message', (octets, from) => {
      const sequence = from.address === peer ? answeredSequence(octets, shape) : undefined;
      if (sequence === undefined) callbacks.onStray();
      else callbacks.onAnswered(sequence);
    });
    callbacks.onConnected({
      send: (sequence) =>
        sendDatagram(run, socket, encodeEchoRequest(family, { identifier, sequence, payload })),
    });
  });
}

/** The reason for people why neither kind of socket is to be had; undefined for any other error. */
export function forbiddenReason(error: unknown): string | undefined {
  return codeOf(error) === 'EPERM'
    ? 'ICMP is forbidden here: the sysctl net.ipv4.ping_group_range leaves out the group of this process, and it has no CAP_NET_RAW'
    : undefined;
}

function bindEcho(
  socket: dgram.Socket,
  native: NativePing,
  family: 4 | 6,
  identifier: number,
): EchoShape['kind'] {
  const descriptor = openPing(native, family);
  if (descriptor !== undefined) {
    socket.bind({ fd: descriptor, exclusive: true });
    return 'ping';
  }
  const replaced = native.openPlainDatagram(family);
  socket.bind({ fd: replaced, exclusive: true });
  native.makeRawPing(replaced, family, identifier);
  return 'raw';
}

function openPing(native: NativePing, family: 4 | 6): number | undefined {
  try {
    return native.openPing(family);
  } catch (error) {
    // EPROTONOSUPPORT: a kernel that was built without them.
    if (['EACCES', 'EPROTONOSUPPORT'].includes(codeOf(error))) return undefined;
    throw error;
  }
}

/** The identifier of a ping socket is the kernel's to check, and that of a raw one its filter's. */
function answeredSequence(octets: Uint8Array, shape: EchoShape): number | undefined {
  const headerOctets = shape.kind === 'raw' && shape.family === 4 ? ipv4HeaderOctets(octets) : 0;
  const reply = decodeEchoReply(shape.family, octets, headerOctets);
  if (reply === undefined || Buffer.compare(reply.payload, shape.payload) !== 0) return undefined;
  return reply.sequence;
}
