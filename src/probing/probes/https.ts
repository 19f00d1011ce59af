import { isIP } from 'node:net';
import { z } from 'zod';
import { domainName } from '../../config/resources/fields.ts';
import { connectSecurely } from '../connection.ts';
import { exchange, httpSettingsFields } from '../http-exchange.ts';
import type { ProbeKind } from '../probe.ts';
import { runProbe } from '../probe-run.ts';

/** RFC 9110 section 4.2.2. */
const DEFAULT_PORT = 443;

const httpsSettings = z.strictObject({
  ...httpSettingsFields,
  /** Sent as SNI (RFC 6066 section 3) and looked for in the certificate; without it, the name in `host`. */
  serverName: domainName.optional(),
  /** Whether a certificate that is expired, untrusted or for another name counts as failure. */
  verifyCertificate: z.boolean().default(true),
});

type HttpsSettings = Readonly<z.infer<typeof httpsSettings>>;

export const httpsProbe: ProbeKind<HttpsSettings> = {
  kind: 'https',
  summary: 'The HTTP probe over TLS; judges the certificate first, and keeps its expiry as evidence.',
  settings: httpsSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? DEFAULT_PORT };
    const tls = { serverName: serverNameOf(settings), verifyCertificate: settings.verifyCertificate };
    return runProbe(to, stopped, (run) => {
      connectSecurely(run, to, tls, (socket) => exchange(run, to, socket, settings));
    });
  },
};

/** RFC 6066 section 3: SNI has no final dot, no port and is never an address. */
function serverNameOf(settings: HttpsSettings): string {
  const name = settings.serverName?.slice(0, -1) ?? settings.host?.replace(/:\d+$/, '') ?? '';
  return isIP(name.replace(/^\[|\]$/g, '')) === 0 ? name : '';
}
