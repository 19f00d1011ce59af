import { formatListenAddress, type ListenAddress } from '../server/listen-address.ts';
import type { Settings } from '../settings.ts';
import type { RunningNode } from './start-node.ts';

/** What a person reads after a start; the first line is also for programs. */
export function welcome(node: RunningNode, listening: readonly ListenAddress[], settings: Settings): string {
  const dns = listening.map(formatListenAddress);
  const pages = node.api.map((address) => `http://${formatListenAddress(address)}`);
  const first = `meridian ready: dns=${dns.join(',')} api=${pages.join(',')}\n`;
  const { attribution, attributionUrl } = node.plane.status().geo;
  const lines = [
    `  status page    ${pages.join('  ')}`,
    `  data           ${settings.dataDirectory}`,
    `  reload         kill -HUP ${process.pid}    stop: Ctrl-C`,
    ...(node.plane.demo !== undefined ? demoLines(listening[0], pages[0] ?? '') : []),
    ...(attribution === '' ? [] : [`  ${attribution} (${attributionUrl})`]),
  ];
  return `${first}${lines.join('\n')}\n`;
}

function demoLines(dns: ListenAddress | undefined, page: string): readonly string[] {
  if (dns === undefined) return [];
  const dig = `dig @${dns.address} -p ${dns.port} +short www.meridian.test`;
  return [
    '',
    '  The demo zone meridian.test is served from six data centers on this machine. Try:',
    `    ${dig} A +subnet=62.210.16.0/24        # Paris is sent to Frankfurt, 127.0.1.1`,
    `    ${dig} A +subnet=133.11.0.0/24         # Tokyo to Singapore, 127.0.1.4`,
    `    ${dig} AAAA +subnet=2001:660::/48      # France again, over IPv6`,
    '    npm run --silent meridian -- break fra      # and ask for Paris again; mend it with: mend fra',
    `    curl '${page}/v1/explain?name=www.meridian.test&type=A&client=62.210.16.1'`,
    '',
  ];
}
