import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { Judgement, Roster } from '../roster.ts';
import { PEER_PROTOCOL } from '../secure-context.ts';
import type { PeerAddress } from '../transport.ts';

export interface Dialled {
  readonly socket: TLSSocket;
  readonly judgement: Judgement;
}

/** A TLS connection to the address, and what is to be thought of who is there, or why there is none. */
export function dialPeer(
  address: PeerAddress,
  secureContext: SecureContext,
  roster: Roster,
  signal: AbortSignal,
  /** Where the connection leaves from; undefined lets the system choose. */
  localAddress?: string,
): Promise<Dialled | { readonly failure: string }> {
  // Node throws for it, where a port that nobody listens at is an error of the connection.
  if (address.port > 65_535) return Promise.resolve({ failure: `there is no port ${address.port}` });
  return new Promise((resolve) => {
    const socket = connect({
      host: address.host,
      port: address.port,
      ...(localAddress === undefined ? {} : { localAddress }),
      secureContext,
      ALPNProtocols: [PEER_PROTOCOL],
      minVersion: 'TLSv1.3',
      // Who it is, is a question of the name in the certificate, not of the host; the roster judges it.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    const abort = () => {
      socket.destroy();
      resolve({ failure: 'given up' });
    };
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve({ failure: 'the connection was closed' });
    });
    socket.on('error', (error) => resolve({ failure: error.message }));
    socket.once('secureConnect', () => {
      signal.removeEventListener('abort', abort);
      if (socket.alpnProtocol === PEER_PROTOCOL)
        resolve({ socket, judgement: judgeOtherEnd(socket, roster) });
      else {
        resolve({ failure: 'it speaks no protocol of ours (ALPN)' });
        socket.destroy();
      }
    });
  });
}

export function judgeOtherEnd(socket: TLSSocket, roster: Roster): Judgement {
  return roster.judge(socket.getPeerX509Certificate(), Date.now());
}
