import express, { type Express } from 'express';
import helmet from 'helmet';
import type { Contract } from '../config/contract.ts';
import type { TrafficSource } from '../observe/traffic/traffic-report.ts';
import { authorise } from './authorise.ts';
import type { ClusterControl } from './cluster-control.ts';
import type { ClusterSource } from './cluster-source.ts';
import { collectionRoutes, readOnlyRoutes } from './collection-router.ts';
import type { WriteContext } from './collection-writes.ts';
import type { ControlPlane } from './control-plane.ts';
import { createEventStreams, HEARTBEAT_MS } from './event-stream.ts';
import { guardHost, guardOrigin } from './guard-browsers.ts';
import type { IncidentSource } from './incident-source.ts';
import { mountRoutes } from './mount-routes.ts';
import { allowsPush } from './push-tokens.ts';
import { type Log, refuseErrors } from './refuse-errors.ts';
import { refuse, sendReply } from './reply.ts';
import type { Route } from './route.ts';
import { alertChannelCollection } from './routes/alert-channels.ts';
import { alertDeliveryRoutes } from './routes/alert-deliveries.ts';
import { backupRoute } from './routes/backups.ts';
import { type CapacitySource, capacityRoutes } from './routes/capacity.ts';
import { invitationCollection } from './routes/cluster-invitations.ts';
import { clusterMemberRoutes } from './routes/cluster-members.ts';
import { clusterNodeCollection } from './routes/cluster-nodes.ts';
import { clusterRoutes } from './routes/cluster-operations.ts';
import { conflictRoutes } from './routes/conflicts.ts';
import { dataCenterCollection } from './routes/data-centers.ts';
import { demoRoutes } from './routes/demo.ts';
import { endpointCollection } from './routes/endpoints.ts';
import { eventsRoute } from './routes/events.ts';
import { explainRoute } from './routes/explain.ts';
import { healthRoute } from './routes/health.ts';
import { incidentRoutes } from './routes/incidents.ts';
import { type LatencySource, latencyRoutes } from './routes/latency.ts';
import { maintenanceWindowCollection } from './routes/maintenance-windows.ts';
import { monitorCollection } from './routes/monitors.ts';
import { openApiRoute } from './routes/openapi.ts';
import { overrideCollection } from './routes/overrides.ts';
import { policyCollection } from './routes/policies.ts';
import { poolCollection } from './routes/pools.ts';
import { problemsRoute } from './routes/problems.ts';
import { reportRoute } from './routes/reports.ts';
import { rrsetBatchRoute } from './routes/rrset-batch.ts';
import { rrsetCollection } from './routes/rrsets.ts';
import { type MetricsText, statusRoutes } from './routes/status.ts';
import { steeredNameCollection } from './routes/steered-names.ts';
import { trafficRoutes } from './routes/traffic.ts';
import { zoneCollection, zoneFileRoute } from './routes/zones.ts';
import { createWriteLanes } from './write-lanes.ts';

export interface AppOptions {
  readonly plane: ControlPlane;
  readonly contract: Contract;
  /** The bearer token of writes; undefined or empty: none is configured. */
  readonly token: string | undefined;
  /** True when the API listens beyond loopback: without a token nothing may be written then. */
  readonly writesNeedToken: boolean;
  /** Static files, served at `/`. */
  readonly dashboardDirectory: string | undefined;
  readonly metrics: MetricsText;
  /** Undefined where nothing is sampled. */
  readonly traffic?: TrafficSource | undefined;
  readonly capacity?: CapacitySource | undefined;
  /** Undefined where the node is in no cluster. */
  readonly cluster?: ClusterControl | undefined;
  readonly latency?: LatencySource | undefined;
  /** The header that names the sender of measurements, set by a proxy before the API; undefined: the peer is. */
  readonly measurementClientHeader?: string | undefined;
  /** Undefined where no history is kept. */
  readonly incidents?: IncidentSource | undefined;
  /** The nodes as this one sees them; undefined likewise. */
  readonly members?: ClusterSource | undefined;
  readonly log: Log;
  readonly now: () => Date;
  /** Names by which browsers may address a node that needs no token, beside localhost and addresses. */
  readonly hostNames?: readonly string[];
  readonly heartbeatMs?: number;
}

/** The API and the dashboard as one Express application; it listens nowhere by itself. */
export function createApp(options: AppOptions): Express {
  const token = options.token === '' ? undefined : options.token;
  const open = token === undefined && !options.writesNeedToken;
  const app = express();
  // Entity tags are revisions of resources; Express would make others from the octets.
  app.set('etag', false);
  app.use(securityHeaders());
  if (open) app.use(guardHost(options.hostNames ?? []));
  app.use(guardOrigin());
  if (!open) app.use(authorise(token, (...write) => allowsPush(options.plane.config, ...write)));
  mountRoutes(app, apiRoutes(options));
  if (options.dashboardDirectory !== undefined) app.use(dashboard(options.dashboardDirectory));
  app.use((request, response) => {
    sendReply(response, refuse('not-found', `Nothing is at ${request.path}.`), request.path);
  });
  app.use(refuseErrors(options.log));
  return app;
}

/** Every operation of the API, for Express and for the OpenAPI document alike. */
export function apiRoutes(options: AppOptions): readonly Route[] {
  const { plane, contract } = options;
  const context: WriteContext = { plane, lanes: createWriteLanes() };
  const routes: readonly Route[] = [
    ...collectionRoutes(context, dataCenterCollection(contract)),
    ...collectionRoutes(context, poolCollection(contract)),
    ...collectionRoutes(context, endpointCollection()),
    reportRoute(plane),
    ...collectionRoutes(context, monitorCollection(contract)),
    ...collectionRoutes(context, policyCollection(contract)),
    ...collectionRoutes(context, zoneCollection(contract)),
    zoneFileRoute(plane),
    ...collectionRoutes(context, rrsetCollection(contract, plane)),
    rrsetBatchRoute(context, contract),
    ...collectionRoutes(context, steeredNameCollection(contract)),
    ...collectionRoutes(context, overrideCollection(contract, plane, options.now)),
    ...collectionRoutes(context, maintenanceWindowCollection(contract, plane, options.now)),
    ...collectionRoutes(context, alertChannelCollection(contract)),
    ...readOnlyRoutes(context, clusterNodeCollection(contract)),
    ...readOnlyRoutes(context, invitationCollection(contract)),
    ...clusterRoutes(plane, options.cluster),
    ...alertDeliveryRoutes(plane, options.incidents),
    explainRoute(plane),
    healthRoute(plane),
    problemsRoute(plane),
    eventsRoute(createEventStreams(plane, options.heartbeatMs ?? HEARTBEAT_MS)),
    ...incidentRoutes(options.incidents),
    ...trafficRoutes(options.traffic),
    ...capacityRoutes(options.capacity),
    backupRoute(plane),
    ...conflictRoutes(plane),
    ...clusterMemberRoutes(options.members),
    ...latencyRoutes(options.latency, options.measurementClientHeader),
    ...demoRoutes(plane),
    ...statusRoutes(plane, options.metrics, options.members),
  ];
  return [...routes, openApiRoute(routes, plane.status().version)];
}

/** The page runs its own scripts and styles and nothing else. The API speaks plain HTTP, so nothing is upgraded. */
function securityHeaders(): ReturnType<typeof helmet> {
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: ["'self'"],
        styleSrc: ["'self'"],
        imgSrc: ["'self'", 'data:'],
        fontSrc: ["'self'"],
        connectSrc: ["'self'"],
        manifestSrc: ["'self'"],
        baseUri: ["'none'"],
        formAction: ["'self'"],
        frameAncestors: ["'none'"],
      },
    },
    strictTransportSecurity: false,
  });
}

function dashboard(directory: string): ReturnType<typeof express.static> {
  return express.static(directory, { index: 'index.html', dotfiles: 'ignore', redirect: false });
}
