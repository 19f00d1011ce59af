import type { JSX } from 'preact';
import {
  type IncidentDetails,
  type IncidentView,
  incidentDetails,
  incidents,
  now,
  openIncident,
} from './live.ts';
import { formatAge, formatOffset } from './view.ts';

/** What went out of service lately; each with its timeline and evidence once it is opened. */
export function IncidentPanel(): JSX.Element | null {
  const list = incidents.value;
  if (list === undefined) return null;
  return (
    <section class="panel" data-incidents={list.length}>
      <h2>Incidents</h2>
      {list.length === 0 && <p class="quiet">Nothing has been out of service.</p>}
      {list.map((incident) => (
        <IncidentRow key={incident.id} incident={incident} />
      ))}
    </section>
  );
}

function IncidentRow({ incident }: { readonly incident: IncidentView }): JSX.Element {
  const { id, kind, severity, state, dataCenter, pools, endpoint, openedAt, closedAt } = incident;
  const subject =
    kind === 'data-center' ? `Data center ${dataCenter}` : `${pools[0]}/${endpoint} in ${dataCenter}`;
  const isOpen = state === 'open';
  const endMs = closedAt === undefined ? now.value : Date.parse(closedAt);
  return (
    <details
      data-incident={id}
      data-kind={kind}
      data-state={state}
      class={`incident verdict-${isOpen ? incident.verdict : 'up'}`}
      onToggle={({ currentTarget }) => openIncident(id, currentTarget.open)}
    >
      <summary>
        <span class="badge">{isOpen ? incident.verdict : state}</span> {subject}{' '}
        <span class="quiet">
          {severity} · {formatAge(Date.parse(openedAt), now.value)} ago · {isOpen ? 'for' : 'lasted'}{' '}
          {formatAge(Date.parse(openedAt), endMs)}
          {incident.failoverSeconds !== undefined &&
            ` · answers moved ${incident.failoverSeconds.toFixed(1)} s after the first failed probe`}
        </span>
      </summary>
      <Timeline details={incidentDetails.value.get(id)} />
    </details>
  );
}

function Timeline({ details }: { readonly details: IncidentDetails | undefined }): JSX.Element {
  if (details === undefined) return <p class="quiet">Its timeline is being read.</p>;
  const startMs = Date.parse(details.timeline[0]?.at ?? details.openedAt);
  return (
    <div class="wide">
      <table data-timeline={details.id}>
        <tbody>
          {details.timeline.map(({ at, step, text }) => (
            <tr key={`${at} ${step} ${text}`} data-step={step}>
              <td title={at}>{formatOffset(startMs, Date.parse(at))}</td>
              <td>{step}</td>
              <td>{text}</td>
            </tr>
          ))}
          {details.vantages.map(({ vantage, verdict, durationMs, evidence }) => (
            <tr key={vantage} data-evidence={vantage}>
              <td>{vantage}</td>
              <td>{verdict}</td>
              <td>
                in {Math.round(durationMs)} ms: <code>{evidenceText(evidence)}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function evidenceText(evidence: IncidentDetails['vantages'][number]['evidence']): string {
  const fields = Object.entries(evidence).map(([name, value]) => `${name}=${value}`);
  return fields.length === 0 ? 'nothing was seen' : fields.join(' ');
}
