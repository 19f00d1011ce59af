import type { JSX } from 'preact';
import type { EndpointHealth } from '../health/endpoint-health.ts';
import { endpoints, now } from './live.ts';
import { formatAge } from './view.ts';

/** Every endpoint: verdict, since when, and what the last probe saw. */
export function EndpointTable(): JSX.Element {
  return (
    <section class="panel">
      <h2>Endpoints</h2>
      <div class="wide">
        <table>
          <thead>
            <tr>
              <th>Endpoint</th>
              <th>Data center</th>
              <th>Address</th>
              <th>Verdict</th>
              <th>Since</th>
              <th>Last probe</th>
            </tr>
          </thead>
          <tbody>
            {endpoints.value.map((endpoint) => (
              <EndpointRow key={endpoint.key} endpoint={endpoint} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function EndpointRow({ endpoint }: { readonly endpoint: EndpointHealth }): JSX.Element {
  return (
    <tr data-endpoint={endpoint.key} data-verdict={endpoint.verdict} class={`verdict-${endpoint.verdict}`}>
      <td>{endpoint.key}</td>
      <td>{endpoint.dataCenter}</td>
      <td>
        <code>{endpoint.address}</code>
      </td>
      <td>
        <span class="badge" title={endpoint.reason}>
          {endpoint.verdict}
        </span>
        {endpoint.override && (
          <div class="quiet">
            {endpoint.override.kind === 'override' ? 'override' : 'maintenance'}: {endpoint.override.reason}
          </div>
        )}
        {endpoint.drain && (
          <div class="quiet" title={endpoint.drain.note}>
            {endpoint.drain.safeToRebootAt === undefined
              ? 'not safe to reboot'
              : `safe to reboot at ${endpoint.drain.safeToRebootAt}`}
          </div>
        )}
      </td>
      <td title={endpoint.since}>{formatAge(Date.parse(endpoint.since), now.value)}</td>
      <td>{evidenceOf(endpoint)}</td>
    </tr>
  );
}

function evidenceOf({ lastResult, monitor }: EndpointHealth): string {
  if (monitor === undefined) return 'not monitored';
  if (lastResult === undefined) return 'no result yet';
  return `${lastResult.detail} (${formatAge(Date.parse(lastResult.at), now.value)} ago)`;
}
