import { textTable } from '../text-table.ts';
import { apiUrl, type DemoNode, type DemoPorts, demoNodes } from './demo-node.ts';
import { DEMO_ZONE } from './node-api.ts';

/** Every command with what it does; `help` prints it, too. */
export const commandTable: readonly (readonly [string, string])[] = [
  ['kill iad', 'ends that process at once, as a loss of power would'],
  ['start iad', 'starts it again; it catches up'],
  ['cut sin', 'cuts its connections with the other nodes; it goes on, alone'],
  ['heal sin', 'mends them'],
  ['conflict', 'writes one name on both sides of a cut, and shows what comes of it'],
  ['break fra', 'ends a data center of the demo: fra, ash, sao, sin, syd or jnb; mend fra starts it again'],
  ['status', 'the nodes as each of them sees the others'],
  ['quit', 'ends everything; so do Ctrl-C and Ctrl-D'],
];

/** What a person reads once all nodes serve; the first line is also for programs. */
export function demoGuide(ports: DemoPorts): readonly string[] {
  const [fra, iad, sin] = demoNodes;
  const rows = demoNodes.map((node) => ['  ', node.name, placeOf(node), apiUrl(node, ports)]);
  return [
    `cluster ready: ${demoNodes.map(({ name }) => name).join(', ')}`,
    ...textTable([['  ', 'node', 'stands in', 'status page and API'], ...rows]),
    '',
    'Write on one, ask another (in a second terminal):',
    `  ${curlText(fra, ports)}`,
    `  ${digText(sin, ports, `hello.${DEMO_ZONE} TXT`)}`,
    'Everybody gets the same answer, the nearest data center that works, wherever they ask:',
    `  ${digText(iad, ports, 'www.meridian.test A +subnet=62.210.16.0/24')}    # Paris: 127.0.1.1, Frankfurt`,
    `  npm run --silent meridian -- cluster status --api ${apiUrl(iad, ports)}`,
    '',
    ...helpLines(),
  ];
}

export function helpLines(): readonly string[] {
  return ['Commands:', ...textTable(commandTable.map(([command, what]) => [`  ${command}`, what]))];
}

export function digText({ address }: DemoNode, { dns }: DemoPorts, question: string): string {
  return `dig @${address} -p ${dns} +short ${question}`;
}

function curlText(node: DemoNode, ports: DemoPorts): string {
  const url = `${apiUrl(node, ports)}/v1/zones/${DEMO_ZONE}/rrsets/hello.${DEMO_ZONE}/TXT`;
  return `curl -X PUT ${url} -H 'Content-Type: application/json' -d '{"ttlSeconds": 5, "records": ["written-in-fra"]}'`;
}

function placeOf({ city, region, latitude, longitude }: DemoNode): string {
  return `${city} (${latitude}, ${longitude}), region ${region}`;
}
