import { connect, type SecureContext, type TLSSocket } from 'node:tls';
import type { Judgement, Roster } from '../roster.ts';
import type { PeerAddress } from '../transport.ts';
import { PEER_PROTOCOL } from './secure-context.ts';

export interface Dialled {
  readonly socket: TLSSocket;
  readonly judgement: Judgement;
}

/** A TLS connection to the address, and what is to be thought of who is there; undefined when nobody of ours is. */
export function dialPeer(
  address: PeerAddress,
  secureContext: SecureContext,
  roster: Roster,
  signal: AbortSignal,
): Promise<Dialled | { readonly failure: string }> {
  return new Promise((resolve) => {
    const socket = connect({
      host: address.host,
      port: address.port,
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
