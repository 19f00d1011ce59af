import { isIP } from 'node:net';
import type tls from 'node:tls';
import { z } from 'zod';
import { domainName } from '../../config/resources/fields.ts';
import { connectSecurely } from '../connection.ts';
import { exchangeSecurely } from '../http-exchange.ts';
import { BODY_WITHOUT_POST, bodyHasMethod, httpSettingsFields } from '../http-settings.ts';
import { exchangeHttp2 } from '../http2-exchange.ts';
import type { ProbeKind, ProbeTarget } from '../probe.ts';
import { type ProbeRun, runProbe } from '../probe-run.ts';
import { DEFAULT_EXPIRY_WARNING_DAYS, MAX_EXPIRY_DAYS } from '../tls-settings.ts';

/** RFC 9110 section 4.2.2. */
const DEFAULT_PORT = 443;

const httpsSettings = z
  .strictObject({
    ...httpSettingsFields,
    /** Sent as SNI (RFC 6066 section 3) and looked for in the certificate; without it, the name in `host`. */
    serverName: domainName.optional(),
    /** Whether a certificate that is expired, untrusted or for another name counts as failure. */
    verifyCertificate: z.boolean().default(true),
    /** With fewer days left the evidence says so; it is a warning and no failure. */
    expiryWarningDays: z.int().min(0).max(MAX_EXPIRY_DAYS).default(DEFAULT_EXPIRY_WARNING_DAYS),
  })
  .refine(bodyHasMethod, BODY_WITHOUT_POST);

type HttpsSettings = Readonly<z.infer<typeof httpsSettings>>;

export const httpsProbe: ProbeKind<HttpsSettings> = {
  kind: 'https',
  summary: 'The HTTP probe over TLS; judges the certificate first, and keeps its expiry as evidence.',
  settings: httpsSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? DEFAULT_PORT };
    const tlsSettings = {
      serverName: serverNameOf(settings),
      verifyCertificate: settings.verifyCertificate,
      alpnProtocols: [settings.protocol],
    };
    return runProbe(to, stopped, (run) => {
      connectSecurely(run, to, tlsSettings, (socket) => {
        warnOfExpiry(run, settings.expiryWarningDays);
        converse(run, to, socket, settings);
      });
    });
  },
  watchedPort: (port, { watch }) => (watch ? (port ?? DEFAULT_PORT) : undefined),
};

function converse(
  run: ProbeRun,
  to: ProbeTarget & { readonly port: number },
  socket: tls.TLSSocket,
  settings: HttpsSettings,
): void {
  if (settings.protocol === 'http/1.1') exchangeSecurely(run, to, socket, settings);
  else if (socket.alpnProtocol === 'h2') exchangeHttp2(run, to, socket, 'https', settings);
  else run.fail('tls-failed', 'Handshake in which the server did not choose HTTP/2');
}

function warnOfExpiry(run: ProbeRun, warningDays: number): void {
  const days = run.evidence.certificateExpiresInDays;
  if (typeof days === 'number' && days < warningDays) run.evidence.certificateExpiryWarning = true;
}

/** RFC 6066 section 3: SNI has no final dot, no port and is never an address. */
function serverNameOf(settings: HttpsSettings): string {
  const name = settings.serverName?.slice(0, -1) ?? settings.host?.replace(/:\d+$/, '') ?? '';
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : '';
}
