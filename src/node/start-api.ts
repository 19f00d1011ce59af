import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ClusterControl } from '../api/cluster-control.ts';
import type { ClusterSource } from '../api/cluster-source.ts';
import { createApp } from '../api/create-app.ts';
import type { IncidentSource } from '../api/incident-source.ts';
import type { CapacitySource } from '../api/routes/capacity.ts';
import type { LatencySource } from '../api/routes/latency.ts';
import type { Contract } from '../config/contract.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import type { TrafficSource } from '../observe/traffic/traffic-report.ts';
import type { Settings } from '../settings.ts';
import type { NodeControlPlane } from './control/control-plane.ts';
import { closeHttp, listenHttp } from './listen-http.ts';
import type { ApiAddress } from './takeover/activated-settings.ts';

/** The built status page, from the sources and from the built program alike. */
const dashboardDirectory = fileURLToPath(new URL('../../dist/dashboard', import.meta.url));

export interface ApiOptions {
  readonly settings: Settings;
  readonly wanted: readonly ApiAddress[];
  readonly token: string | undefined;
  readonly contract: Contract;
  readonly plane: NodeControlPlane;
  readonly metrics: Metrics;
  /** Undefined where nothing is sampled. */
  readonly traffic: TrafficSource | undefined;
  readonly capacity: CapacitySource;
  readonly latency: LatencySource;
  readonly incidents: IncidentSource;
  /** Undefined where the node is in no cluster. */
  readonly cluster: { readonly control: ClusterControl; readonly members: ClusterSource } | undefined;
  readonly log: Logger;
}

export interface RunningApi {
  readonly addresses: readonly ApiAddress[];
  close(): Promise<void>;
}

/** Serves the API on every address; rejects with a `ListenError`, and then listens nowhere. */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { settings, token, contract, plane, metrics, traffic, incidents, log } = options;
  const app = createApp({
    plane,
    contract,
    token,
    writesNeedToken: settings.apiBeyondLoopback,
    // Without a build there is no page, and the API serves all the same.
    dashboardDirectory: existsSync(join(dashboardDirectory, 'index.html')) ? dashboardDirectory : undefined,
    metrics: async () => ({ contentType: metrics.contentType, text: await metrics.exposition() }),
    traffic,
    capacity: options.capacity,
    latency: options.latency,
    measurementClientHeader: settings.measurementClientHeader,
    incidents,
    cluster: options.cluster?.control,
    members: options.cluster?.members,
    log: (level, message, fields) => log[level](fields, message),
    now: () => new Date(),
  });
  const servers: Server[] = [];
  const addresses: ApiAddress[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => closeHttp(server)));
  };
  try {
    for (const wanted of options.wanted) {
      const { server, address } = await listenHttp(app, wanted, (error) =>
        log.warn({ err: error }, 'a connection to the API could not be accepted'),
      );
      servers.push(server);
      addresses.push(address);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { addresses, close };
}
