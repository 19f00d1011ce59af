import { computed, signal } from '@preact/signals';
import type { Explanation } from '../answer/explanation.ts';
import type { NodeStatus } from '../api/control-plane.ts';
import type { Problem } from '../config/problem.ts';
import type { DataCenter } from '../config/resources/data-center.ts';
import type { SteeredName } from '../config/resources/steered-name.ts';
import type { EndpointHealth } from '../health/endpoint-health.ts';
import type { TrafficReport } from '../observe/traffic/traffic-report.ts';
import { getJson } from './get-json.ts';
import { loadCluster, loadMembers } from './live-cluster.ts';
import { type DataCenterView, joinVerdicts } from './view.ts';

interface ItemList<T> {
  readonly items: readonly T[];
}

interface StoredItem<T> {
  readonly value: T;
}

interface DemoDataCenter {
  readonly dataCenter: string;
  readonly address: string;
  readonly broken: boolean;
}

/** An incident as the list tells it. */
export interface IncidentView {
  readonly id: string;
  readonly kind: 'endpoint' | 'data-center';
  readonly severity: string;
  readonly state: 'open' | 'closed' | 'removed';
  readonly dataCenter: string;
  readonly pools: readonly string[];
  readonly endpoint?: string;
  readonly verdict: EndpointHealth['verdict'];
  readonly openedAt: string;
  readonly closedAt?: string;
  readonly failoverSeconds?: number;
}

/** The same with what happened, and what the probes saw. */
export interface IncidentDetails extends IncidentView {
  readonly timeline: readonly { readonly at: string; readonly step: string; readonly text: string }[];
  readonly vantages: readonly {
    readonly vantage: string;
    readonly verdict: string;
    readonly durationMs: number;
    readonly evidence: Readonly<Record<string, string | number | boolean>>;
  }[];
}

/** The client that was last asked about. */
interface Question {
  readonly name: string;
  readonly type: string;
  readonly client: string;
}

/** Short enough to show what goes on now. */
export const TRAFFIC_MINUTES = 5;
/** Traffic has no event of its own: it changes all the time. */
const TRAFFIC_INTERVAL_MS = 5000;

/** Who comes and goes has an event; round trips and what is missing do not. */
const MEMBERS_INTERVAL_MS = 2000;

/** As many as fit beside everything else; the API has the rest. */
const SHOWN_INCIDENTS = 8;

/** Wait this long after the event stream broke before it is opened again. */
const RECONNECT_MS = 2000;

export const nodeStatus = signal<NodeStatus | undefined>(undefined);
export const endpoints = signal<readonly EndpointHealth[]>([]);
export const problems = signal<readonly Problem[]>([]);
export const steeredNames = signal<readonly string[]>([]);
/** Undefined unless the node runs the demo. */
export const demo = signal<readonly DemoDataCenter[] | undefined>(undefined);
/** Undefined where nothing is sampled. */
export const traffic = signal<TrafficReport | undefined>(undefined);
/** Newest first; undefined before the first answer. */
export const incidents = signal<readonly IncidentView[] | undefined>(undefined);
/** Of those that are opened on the page, by id. */
export const incidentDetails = signal<ReadonlyMap<string, IncidentDetails>>(new Map());
export const explanation = signal<Explanation | undefined>(undefined);
export const explainProblem = signal('');
/** Whether the node answered lately: a page that shows old facts has to say so. */
export const connected = signal(false);
/** Milliseconds since the epoch; ticks once a second so that ages move. */
export const now = signal(Date.now());

const places = signal<readonly DataCenter[]>([]);

export const dataCenters = computed<readonly DataCenterView[]>(() =>
  places.value.map(({ name, description, latitude, longitude }) => ({
    name,
    description,
    latitude,
    longitude,
    verdict: joinVerdicts(
      endpoints.value.filter((endpoint) => endpoint.dataCenter === name).map((endpoint) => endpoint.verdict),
    ),
  })),
);

let question: Question | undefined;

/** Loads everything, then follows the node's event stream; reconnects by itself. */
export function follow(): void {
  const stream = new EventSource('./v1/events');
  stream.addEventListener('open', () => void refresh());
  stream.addEventListener('change', () => void refresh());
  stream.addEventListener('error', () => {
    connected.value = false;
    if (stream.readyState !== EventSource.CLOSED) return;
    setTimeout(follow, RECONNECT_MS);
  });
}

/** Asks how a client is answered, and keeps the answer current from then on. */
export async function ask(next: Question): Promise<void> {
  question = next;
  await explainAgain();
}

/** Breaks or mends a data center of the demo. */
export async function setBroken(dataCenter: string, broken: boolean): Promise<void> {
  await fetch(`./v1/demo/data-centers/${dataCenter}/${broken ? 'break' : 'mend'}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  await refresh();
}

const openedIncidents = new Set<string>();

/** Reads an incident's timeline, and keeps it current while it is open on the page. */
export function openIncident(id: string, open: boolean): void {
  if (!open) openedIncidents.delete(id);
  else if (!openedIncidents.has(id)) {
    openedIncidents.add(id);
    void loadIncident(id);
  }
}

async function loadIncident(id: string): Promise<void> {
  try {
    const details = await getJson<IncidentDetails>(`./v1/incidents/${id}`);
    if (details !== undefined) incidentDetails.value = new Map([...incidentDetails.value, [id, details]]);
  } catch {
    // The event stream tells whether the node is there.
  }
}

async function loadIncidents(): Promise<void> {
  try {
    const list = await getJson<ItemList<IncidentView>>(`./v1/incidents?limit=${SHOWN_INCIDENTS}`);
    incidents.value = list?.items;
    const shown = new Set(list?.items.map(({ id }) => id));
    incidentDetails.value = new Map([...incidentDetails.value].filter(([id]) => shown.has(id)));
    await Promise.all([...openedIncidents].filter((id) => shown.has(id)).map(loadIncident));
  } catch {
    // The history may be out of reach while all else is well.
  }
}

let refreshing = false;
let again = false;

/** Never two refreshes at once; a change that arrives meanwhile starts one more at the end. */
async function refresh(): Promise<void> {
  again = true;
  if (refreshing) return;
  refreshing = true;
  try {
    while (again) {
      again = false;
      await load();
    }
    if (!connected.value) {
      connected.value = true;
      void loadTraffic();
    }
  } catch {
    connected.value = false;
  } finally {
    refreshing = false;
  }
}

async function load(): Promise<void> {
  const [status, health, problemList, dataCenterList, nameList, demoList] = await Promise.all([
    getJson<NodeStatus>('./v1/status'),
    getJson<ItemList<EndpointHealth>>('./v1/health'),
    getJson<ItemList<Problem>>('./v1/problems'),
    getJson<ItemList<StoredItem<DataCenter>>>('./v1/data-centers?limit=1000'),
    getJson<ItemList<StoredItem<SteeredName>>>('./v1/steered-names?limit=1000'),
    getJson<ItemList<DemoDataCenter>>('./v1/demo'),
  ]);
  nodeStatus.value = status;
  endpoints.value = health?.items ?? [];
  problems.value = problemList?.items ?? [];
  places.value = dataCenterList?.items.map((item) => item.value) ?? [];
  steeredNames.value = nameList?.items.map((item) => item.value.name) ?? [];
  demo.value = demoList?.items;
  await Promise.all([loadIncidents(), loadCluster()]);
  await explainAgain();
}

async function explainAgain(): Promise<void> {
  if (question === undefined) return;
  const query = new URLSearchParams({ name: question.name, type: question.type });
  if (question.client !== '') query.set('client', question.client);
  const response = await fetch(`./v1/explain?${query}`);
  const body = await response.json();
  explanation.value = response.ok ? (body as Explanation) : undefined;
  explainProblem.value = response.ok ? '' : String(body.detail ?? body.title);
}

async function loadTraffic(): Promise<void> {
  if (!connected.value || document.hidden) return;
  try {
    traffic.value = await getJson<TrafficReport>(`./v1/traffic?minutes=${TRAFFIC_MINUTES}&limit=8`);
  } catch {
    // The event stream tells whether the node is there.
  }
}

setInterval(() => {
  now.value = Date.now();
}, 1000);

setInterval(() => void loadTraffic(), TRAFFIC_INTERVAL_MS);

setInterval(() => {
  if (connected.value && !document.hidden) void loadMembers();
}, MEMBERS_INTERVAL_MS);
