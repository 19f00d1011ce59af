import type { ProbeKind } from '../probe.ts';
import { dnsProbe } from './dns.ts';
import { createExecProbe } from './exec.ts';
import { grpcProbe } from './grpc.ts';
import { httpProbe } from './http.ts';
import { httpsProbe } from './https.ts';
import { icmpProbe } from './icmp.ts';
import { tcpProbe } from './tcp.ts';
import { tlsProbe } from './tls.ts';
import { udpProbe } from './udp.ts';

/** A probe kind as the vantage runs it; its settings are whatever the kind's own schema gave. */
export type AnyProbeKind = ProbeKind<Readonly<Record<string, unknown>>>;

/** What probe kinds are told of this node's settings; plain data, so that it passes from thread to thread. */
export interface ProbeEnvironment {
  /** Absolute path of the directory whose programs `exec` may run; undefined for none. */
  readonly execDirectory: string | undefined;
}

/** Every probe kind. A new one is a file here, a line here, and a case in the contract suite. */
export function createProbeKinds({ execDirectory }: ProbeEnvironment): readonly AnyProbeKind[] {
  return [
    erased(httpProbe),
    erased(httpsProbe),
    erased(tcpProbe),
    erased(tlsProbe),
    erased(dnsProbe),
    erased(grpcProbe),
    erased(udpProbe),
    erased(icmpProbe),
    erased(createExecProbe(execDirectory)),
  ];
}

/** The kinds for whoever needs their settings' schemas and runs nothing: the node's own settings are left out. */
export const probeKinds: readonly AnyProbeKind[] = createProbeKinds({ execDirectory: undefined });

function erased<S>({ watchedPort, ...kind }: ProbeKind<S>): AnyProbeKind {
  return {
    ...kind,
    // Parsing is the one way to a monitor's settings, so they are what the kind's own schema returned.
    run: (target, settings, stopped) => kind.run(target, settings as S, stopped),
    ...(watchedPort === undefined
      ? {}
      : {
          watchedPort: (port: number | undefined, settings: Readonly<Record<string, unknown>>) =>
            watchedPort(port, settings as S),
        }),
  };
}
