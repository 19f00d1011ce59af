import { connect } from '../connection.ts';
import { exchange } from '../http-exchange.ts';
import { type HttpSettings, httpSettings } from '../http-settings.ts';
import { exchangeHttp2 } from '../http2-exchange.ts';
import type { ProbeKind } from '../probe.ts';
import { runProbe } from '../probe-run.ts';

/** RFC 9110 section 4.2.1. */
const DEFAULT_PORT = 80;

export const httpProbe: ProbeKind<HttpSettings> = {
  kind: 'http',
  summary: 'Sends an HTTP/1.1 or HTTP/2 request and judges the status and, if asked to, the body.',
  settings: httpSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? DEFAULT_PORT };
    return runProbe(to, stopped, (run) => {
      if (settings.protocol === 'http/1.1') exchange(run, to, settings);
      else connect(run, to, (socket) => exchangeHttp2(run, to, socket, 'http', settings));
    });
  },
  watchedPort: (port, { watch }) => (watch ? (port ?? DEFAULT_PORT) : undefined),
};
