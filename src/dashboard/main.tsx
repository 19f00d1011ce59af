import { type JSX, render } from 'preact';
import { ClientLookup } from './client-lookup.tsx';
import { ClusterPanel } from './cluster-panel.tsx';
import { ConflictPanel } from './conflict-panel.tsx';
import { DemoPanel } from './demo-panel.tsx';
import { EndpointTable } from './endpoint-table.tsx';
import { IncidentPanel } from './incident-panel.tsx';
import { connected, dataCenters, explanation, follow, nodeStatus, now, problems } from './live.ts';
import './styles.css';
import { TrafficPanel } from './traffic-panel.tsx';
import { formatAge } from './view.ts';
import { WorldMap } from './world-map.tsx';

function Page(): JSX.Element {
  const chosen = explanation.value?.dataCenters.find((dataCenter) => dataCenter.chosen)?.name;
  return (
    <div class="page">
      <Header />
      <Problems />
      <ClusterPanel />
      <ConflictPanel />
      <section class="panel">
        <WorldMap
          dataCenters={dataCenters.value}
          client={explanation.value?.client.location?.coordinates ?? undefined}
          chosen={chosen}
        />
      </section>
      <div class="columns">
        <ClientLookup />
        <DemoPanel />
      </div>
      <IncidentPanel />
      <TrafficPanel />
      <EndpointTable />
      <Attribution />
    </div>
  );
}

/** The licence of the geo data asks for it wherever results show. */
function Attribution(): JSX.Element | null {
  const geo = nodeStatus.value?.geo;
  if (geo === undefined || geo.attribution === '') return null;
  return (
    <footer class="quiet">
      {geo.attributionUrl === '' ? geo.attribution : <a href={geo.attributionUrl}>{geo.attribution}</a>}
    </footer>
  );
}

function Header(): JSX.Element {
  const status = nodeStatus.value;
  const unmet = status?.conditions.filter((condition) => !condition.holds) ?? [];
  return (
    <header>
      <h1>Meridian</h1>
      <span
        class={connected.value ? 'badge verdict-up' : 'badge verdict-down'}
        role="status"
        data-connection=""
      >
        {connected.value ? 'live' : 'no contact with the node: what follows may be old'}
      </span>
      {status && (
        <span class={status.ready ? 'badge verdict-up' : 'badge verdict-unknown'} data-ready={status.ready}>
          {status.ready ? 'ready' : `not ready: ${unmet.map((condition) => condition.detail).join('; ')}`}
        </span>
      )}
      {status && (
        <span class="quiet">
          DNS on {status.dns.join(', ')} · configuration {status.generation} · geo table {status.geo.name} of{' '}
          {status.geo.builtAt.slice(0, 10)} · up {formatAge(Date.parse(status.startedAt), now.value)} ·
          version {status.version}
        </span>
      )}
    </header>
  );
}

function Problems(): JSX.Element | null {
  if (problems.value.length === 0) return null;
  return (
    <section class="panel banner" role="alert">
      <h2>Problems</h2>
      <ul>
        {problems.value.map((problem) => (
          <li key={`${problem.code} ${problem.path}`}>
            <code>{problem.path}</code> {problem.message}
          </li>
        ))}
      </ul>
    </section>
  );
}

const page = document.getElementById('page');
if (page !== null) render(<Page />, page);
follow();
