import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext } from 'node:tls';
import type { TransportIdentity } from './transport.ts';

/** RFC 7301: what is spoken after the handshake. */
export const PEER_PROTOCOL = 'meridian-peer/1';

/** Throws when certificate and key cannot be read or do not belong together. */
export function secureContextOf(identity: TransportIdentity): SecureContext {
  return createSecureContext({
    cert: identity.certificatePem,
    key: identity.privateKeyPem,
    ca: [...identity.caCertificatesPem],
    minVersion: 'TLSv1.3',
    // A resumed session would bring back a certificate without its being checked again.
    secureOptions: constants.SSL_OP_NO_TICKET,
  });
}
