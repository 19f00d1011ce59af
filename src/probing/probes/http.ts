import { connect } from '../connection.ts';
import { exchange, type HttpSettings, httpSettings } from '../http-exchange.ts';
import type { ProbeKind } from '../probe.ts';
import { runProbe } from '../probe-run.ts';

/** RFC 9110 section 4.2.1. */
const DEFAULT_PORT = 80;

export const httpProbe: ProbeKind<HttpSettings> = {
  kind: 'http',
  summary: 'Sends an HTTP/1.1 request and judges the status and, if asked to, the body; follows no redirect.',
  settings: httpSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? DEFAULT_PORT };
    return runProbe(to, stopped, (run) => {
      connect(run, to, (socket) => exchange(run, to, socket, settings));
    });
  },
};
