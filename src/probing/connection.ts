import net from 'node:net';
import tls from 'node:tls';
import type { ProbeTarget } from './probe.ts';
import { excerpt, MAX_EVIDENCE_LENGTH, type ProbeRun } from './probe-run.ts';

/** What a TLS handshake needs beside a connection. */
export interface TlsSettings {
  /** Sent as SNI and looked for in the certificate; empty for neither, when the address itself is looked for. */
  readonly serverName: string;
  readonly verifyCertificate: boolean;
  /** Offered by ALPN (RFC 7301), preferred first; none are when it is empty. Without it, HTTP/1.1. */
  readonly alpnProtocols?: readonly string[] | undefined;
  /** Older ones are refused; without it, Node's own choice. */
  readonly minProtocol?: tls.SecureVersion | undefined;
}

const MS_PER_DAY = 86_400_000;

/** Opens a TCP connection; `onConnected` is not called when the run was decided before. */
export function connect(
  run: ProbeRun,
  target: ProbeTarget & { readonly port: number },
  onConnected: (socket: net.Socket) => void,
): void {
  if (!beginConnecting(run, target)) return;
  const socket = net.connect({ host: target.address, port: target.port, noDelay: true });
  hold(run, socket);
  socket.once('connect', () => {
    if (run.decided) return;
    run.evidence.connectMs = run.elapsedMs();
    onConnected(socket);
  });
}

/**
 * Opens a TLS connection and judges the certificate before anything is sent over it, so that an impostor never sees
 * the request. What the certificate says is evidence, also when it is refused.
 *
 * The TLS socket connects by itself instead of wrapping one from `connect`: with two sockets over one handle,
 * destroying both from within the handshake's callback crashes Node 24.
 */
export function connectSecurely(
  run: ProbeRun,
  target: ProbeTarget & { readonly port: number },
  settings: TlsSettings,
  onSecured: (socket: tls.TLSSocket) => void,
): void {
  if (!beginConnecting(run, target)) return;
  const socket = tls.connect({
    // Without a name the certificate must be for the address.
    host: target.address,
    port: target.port,
    ...(settings.serverName === '' ? {} : { servername: settings.serverName }),
    ALPNProtocols: settings.alpnProtocols ?? ['http/1.1'],
    ...(settings.minProtocol === undefined ? {} : { minVersion: settings.minProtocol }),
    // The refusal is ours to make, below, so that it comes with evidence.
    rejectUnauthorized: false,
  });
  hold(run, socket);
  const onEarlyClose = (): void => run.fail('connection-reset', `Connection closed while ${run.stage}`);
  socket.once('close', onEarlyClose);
  socket.once('connect', () => {
    run.evidence.connectMs = run.elapsedMs();
    run.stage = 'securing the connection';
  });
  socket.once('secureConnect', () => {
    socket.off('close', onEarlyClose);
    if (run.decided) return;
    run.evidence.tlsMs = run.elapsedMs();
    const refusal = recordCertificate(run, socket);
    if (settings.verifyCertificate && refusal !== undefined) {
      run.fail('certificate-invalid', `Certificate refused (${refusal})`);
    } else {
      onSecured(socket);
    }
  });
}

/** False, and the run has failed, when the target's address is none: Node would look it up as a name. */
export function beginConnecting(run: ProbeRun, target: ProbeTarget): boolean {
  run.stage = 'connecting';
  if (net.isIP(target.address) !== 0) return true;
  // Node would ask the system's resolver, which may take as long as it likes.
  run.fail(
    'internal-error',
    `"${target.address.slice(0, MAX_EVIDENCE_LENGTH)}" is not an IP address; nothing was probed`,
  );
  return false;
}

function hold(run: ProbeRun, socket: net.Socket): void {
  run.hold(socket);
  // Stays for the socket's life: an error after the verdict has no other listener and would end the node.
  socket.on('error', (error) => run.failWith(error));
}

/** Writes what the handshake showed into the evidence; returns why the certificate does not hold, if so. */
function recordCertificate(run: ProbeRun, socket: tls.TLSSocket): string | undefined {
  const certificate = socket.getPeerCertificate();
  run.evidence.tlsProtocol = socket.getProtocol() ?? '';
  // An anonymous peer gives an empty object, whatever the types say.
  if (certificate.valid_to !== undefined) {
    run.evidence.certificateExpiresAt = timeOf(certificate.valid_to);
    const expiresInMs = Date.parse(certificate.valid_to) - Date.now();
    // Whole days that are left; negative when it has expired.
    if (!Number.isNaN(expiresInMs))
      run.evidence.certificateExpiresInDays = Math.floor(expiresInMs / MS_PER_DAY);
    run.evidence.certificateIssuer = nameOf(certificate.issuer);
    run.evidence.certificateSubject = nameOf(certificate.subject);
  }
  run.evidence.certificateValid = socket.authorized;
  if (socket.authorized) return undefined;
  const refusal: unknown = socket.authorizationError;
  const code = refusal instanceof Error && 'code' in refusal ? refusal.code : refusal;
  return String(code ?? 'not trusted').slice(0, MAX_EVIDENCE_LENGTH);
}

/** RFC 3339 in UTC; what OpenSSL says of an expiry that is no time (`Bad time value`) stays as it is. */
function timeOf(validTo: string): string {
  const time = new Date(validTo);
  return Number.isNaN(time.getTime()) ? excerpt(Buffer.from(validTo)) : time.toISOString();
}

function nameOf(name: tls.Certificate | undefined): string {
  const first = [name?.CN, name?.O].flat().find((part) => part !== undefined && part !== '');
  return excerpt(Buffer.from(first ?? ''));
}
