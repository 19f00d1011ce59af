import type tls from 'node:tls';
import { z } from 'zod';
import { connectSecurely } from '../connection.ts';
import type { ProbeKind } from '../probe.ts';
import { excerpt, type ProbeRun, runProbe } from '../probe-run.ts';
import {
  DEFAULT_EXPIRY_WARNING_DAYS,
  MAX_EXPIRY_DAYS,
  tlsSettingsFields,
  toServerName,
} from '../tls-settings.ts';

/** No server chooses among more. */
const MAX_ALPN_PROTOCOLS = 8;

const alpnProtocol = z
  .string()
  // RFC 7301 section 3.1: 1 to 255 octets; the registered ones are of these.
  .regex(/^[\x21-\x7e]{1,255}$/, 'must be a protocol of 1 to 255 printable ASCII characters, such as "h2"');

const tlsSettings = z.strictObject({
  ...tlsSettingsFields,
  /** Evidence says `certificateExpiresSoon` when the certificate has this many days left, or fewer. */
  expiryWarningDays: z.int().min(0).max(MAX_EXPIRY_DAYS).default(DEFAULT_EXPIRY_WARNING_DAYS),
  /** The probe fails when the certificate has this many days left, or fewer; without it, they are only told. */
  failWhenExpiresWithinDays: z.int().min(0).max(MAX_EXPIRY_DAYS).optional(),
  /** A server that knows only older versions fails; the oldest that Node still speaks by default. */
  minProtocol: z.enum(['TLSv1.2', 'TLSv1.3']).default('TLSv1.2'),
  /** Offered by ALPN (RFC 7301); the server must choose one of them. Without it, ALPN is not spoken. */
  alpnProtocols: z.array(alpnProtocol).min(1).max(MAX_ALPN_PROTOCOLS).optional(),
});

type TlsProbeSettings = Readonly<z.infer<typeof tlsSettings>>;

export const tlsProbe: ProbeKind<TlsProbeSettings> = {
  kind: 'tls',
  summary:
    'Makes a TLS handshake and judges the certificate, its expiry, the protocol version and, if asked to, ALPN.',
  requiresPort: true,
  settings: tlsSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? 0 };
    const wanted = {
      serverName: toServerName(settings.serverName),
      verifyCertificate: settings.verifyCertificate,
      minProtocol: settings.minProtocol,
      alpnProtocols: settings.alpnProtocols ?? [],
    };
    return runProbe(to, stopped, (run) => {
      if (target.port === undefined)
        run.fail('internal-error', 'The monitor names no port, so nothing was probed');
      else connectSecurely(run, to, wanted, (socket) => judge(run, socket, settings));
    });
  },
};

function judge(run: ProbeRun, socket: tls.TLSSocket, settings: TlsProbeSettings): void {
  const daysLeft = run.evidence.certificateExpiresInDays;
  const { expiryWarningDays, failWhenExpiresWithinDays, alpnProtocols } = settings;
  if (typeof daysLeft === 'number') run.evidence.certificateExpiresSoon = daysLeft <= expiryWarningDays;
  if (failWhenExpiresWithinDays !== undefined && !(Number(daysLeft) > failWhenExpiresWithinDays)) {
    run.fail('certificate-expiring', `Certificate ${expiryText(daysLeft)}`);
    return;
  }
  if (alpnProtocols !== undefined) {
    const chosen = socket.alpnProtocol || 'none';
    run.evidence.alpnProtocol = excerpt(Buffer.from(chosen));
    if (!alpnProtocols.includes(chosen)) {
      run.fail('tls-failed', 'The server chose no protocol by ALPN');
      return;
    }
  }
  leave(run, socket, daysLeft);
}

/**
 * Ends the connection in order, so that the server sees a whole handshake: the last message of ours is not on its way
 * yet when Node tells that we are done, and a server would log every probe as a broken one.
 */
function leave(run: ProbeRun, socket: tls.TLSSocket, daysLeft: string | number | boolean | undefined): void {
  run.stage = 'ending the connection';
  socket.end(() => run.pass(`${socket.getProtocol() ?? 'TLS'}, certificate ${expiryText(daysLeft)}`));
}

/** `expires in 53 days`. */
function expiryText(daysLeft: string | number | boolean | undefined): string {
  if (typeof daysLeft !== 'number') return 'with an expiry that is no time';
  return daysLeft < 0 ? `expired ${-daysLeft} days ago` : `expires in ${daysLeft} days`;
}
