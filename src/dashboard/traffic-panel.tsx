import type { JSX } from 'preact';
import type { EstimatedQueries } from '../observe/traffic/traffic-report.ts';
import { TRAFFIC_MINUTES, traffic } from './live.ts';
import { formatEstimate } from './view.ts';

/** What the node was asked in the last minutes: the heaviest names and clients, and who answered. */
export function TrafficPanel(): JSX.Element | null {
  const report = traffic.value;
  if (report === undefined) return null;
  const { sampling, total } = report;
  return (
    <section class="panel" data-traffic={total.queries}>
      <h2>Traffic of the last {TRAFFIC_MINUTES} minutes</h2>
      <p class="quiet">
        {formatEstimate(total)} queries, from{' '}
        {sampling.every === 1 ? 'all of them' : `one in ${sampling.every}`}
        {sampling.dropped > 0 && `; ${sampling.dropped} samples found no room`}
      </p>
      <div class="thirds">
        <Heaviest
          title="Name"
          rows={report.names.map((entry) => ({
            key: entry.name,
            entry,
            note: entry.steered ? '' : 'not steered',
          }))}
        />
        <Heaviest
          title="Client"
          rows={report.clients.map((entry) => ({ key: entry.prefix, entry, note: '' }))}
        />
        <Heaviest
          title="Data center"
          rows={report.dataCenters.map((entry) => ({
            key: entry.dataCenter,
            entry,
            note: `${Math.round(entry.share * 100)} %`,
          }))}
        />
      </div>
    </section>
  );
}

interface Row {
  readonly key: string;
  readonly entry: EstimatedQueries;
  readonly note: string;
}

function Heaviest({ title, rows }: { readonly title: string; readonly rows: readonly Row[] }): JSX.Element {
  const most = Math.max(1, ...rows.map(({ entry }) => entry.queries));
  return (
    <table class="heaviest">
      <thead>
        <tr>
          <th>{title}</th>
          <th>Queries</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ key, entry, note }) => (
          <tr key={key} data-heaviest={key}>
            <td>
              <code>{key}</code> <span class="quiet">{note}</span>
              <meter max={most} value={entry.queries} />
            </td>
            <td>{formatEstimate(entry)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
