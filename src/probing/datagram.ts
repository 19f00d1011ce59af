import dgram from 'node:dgram';
import net from 'node:net';
import { beginConnecting } from './connection.ts';
import type { ProbeTarget } from './probe.ts';
import type { ProbeRun } from './probe-run.ts';
import { codeOf } from './socket-error.ts';

/** Codes in which the kernel tells an ICMP error about the way to the endpoint; elsewhere they have other meanings. */
const ICMP_ERRORS: ReadonlySet<string> = new Set(['EACCES', 'ENONET', 'ENOPROTOOPT', 'EOPNOTSUPP', 'EPROTO']);

/**
 * Opens a datagram socket that is connected, so that the kernel drops what others send and tells ICMP errors.
 * `prepare` may bind the socket first; `onConnected` is not called when the run was decided before.
 */
export function connectDatagram(
  run: ProbeRun,
  target: ProbeTarget & { readonly port: number },
  prepare: (socket: dgram.Socket) => void,
  onConnected: (socket: dgram.Socket) => void,
): void {
  if (!beginConnecting(run, target)) return;
  const socket = dgram.createSocket({ type: net.isIPv6(target.address) ? 'udp6' : 'udp4' });
  run.hold({ destroy: () => socket.close() });
  // Stays for the socket's life: an error after the verdict has no other listener and would end the node.
  socket.on('error', (error) => failReceiving(run, error));
  prepare(socket);
  // The callback gets an error, which the types leave out.
  socket.connect(target.port, target.address, (error?: Error) => {
    if (run.decided) return;
    if (error === undefined || error === null) onConnected(socket);
    else run.failWith(error);
  });
}

/** Sends one datagram; failing to is the run's failure. */
export function sendDatagram(run: ProbeRun, socket: dgram.Socket, octets: Uint8Array): void {
  socket.send(octets, (error) => {
    if (error !== null) run.failWith(error);
  });
}

function failReceiving(run: ProbeRun, error: Error): void {
  const code = codeOf(error);
  if ('syscall' in error && error.syscall === 'recvmsg' && ICMP_ERRORS.has(code))
    run.fail('unreachable', `ICMP error while ${run.stage} (${code})`);
  else run.failWith(error);
}
