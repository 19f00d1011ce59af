import type { ProbeKind } from '../probe.ts';
import { httpProbe } from './http.ts';
import { httpsProbe } from './https.ts';
import { tcpProbe } from './tcp.ts';

/** A probe kind as the vantage runs it; its settings are whatever the kind's own schema gave. */
export type AnyProbeKind = ProbeKind<Readonly<Record<string, unknown>>>;

/** Every probe kind. A new one is a file here, a line here, and a case in the contract suite. */
export const probeKinds: readonly AnyProbeKind[] = [erased(httpProbe), erased(httpsProbe), erased(tcpProbe)];

function erased<S>(kind: ProbeKind<S>): AnyProbeKind {
  return {
    ...kind,
    // Parsing is the one way to a monitor's settings, so they are what the kind's own schema returned.
    run: (target, settings, stopped) => kind.run(target, settings as S, stopped),
  };
}
