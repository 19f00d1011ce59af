import { formatAddress, formatPrefix } from '../../dns/address.ts';
import { formatName } from '../../dns/name.ts';
import { formatType } from '../../dns/type.ts';
import { formatRcode } from '../counters.ts';
import type { NamedSample } from '../samples/named-sample.ts';
import type { Sample } from '../samples/sample.ts';
import { formatPrefixKey, prefixKey } from '../traffic/prefix-key.ts';

/** How much of a client's address goes into the log: all of it, or its /24 or /48 without the port. */
export type LoggedClients = 'full' | 'prefix';

/** One query as a line of the log, without its end. Fields that have nothing to say are left out. */
export function formatQueryLine(named: NamedSample, clients: LoggedClients, every: number): string {
  const { sample, name, dataCenter } = named;
  const { outcome, responseLength } = sample;
  const sent = responseLength > 0;
  return JSON.stringify({
    time: new Date(sample.timeMs).toISOString(),
    transport: sample.transport,
    ...resolverOf(sample, clients),
    name: named.asked,
    type: sample.queryType === 0 ? undefined : formatType(sample.queryType),
    outcome,
    rcode: sent ? formatRcode(sample.rcode) : undefined,
    responseOctets: sent ? responseLength : undefined,
    truncated: sample.truncated || undefined,
    zone: sample.apex.length === 0 ? undefined : formatName(sample.apex),
    steered: sample.steered ? name : undefined,
    dataCenter,
    ...clientOf(sample, clients),
    every,
  });
}

function resolverOf({ resolver, port }: Sample, clients: LoggedClients): object {
  if (clients === 'prefix') return { resolver: formatPrefixKey(prefixKey(resolver, resolver.length * 8)) };
  return { resolver: formatAddress(resolver), port: port === 0 ? undefined : port };
}

/** The located client, and the scope that was sent (RFC 7871 section 7.2.1). */
function clientOf(sample: Sample, clients: LoggedClients): object {
  const { client, clientSource, sourcePrefixLength, scope } = sample;
  const sent = { scope: scope < 0 ? undefined : scope };
  if (client.length === 0) return sent;
  const text =
    clients === 'prefix'
      ? formatPrefixKey(prefixKey(client, sourcePrefixLength))
      : formatPrefix(client, sourcePrefixLength);
  return { client: text, clientSource, ...sent };
}
