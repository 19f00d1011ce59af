import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { connect as connectPlainly } from 'node:net';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { replaceCertificate } from '../../src/cluster/identity/identity-files.ts';
import { PEER_PROTOCOL } from '../../src/cluster/transport/secure-context.ts';
import { eventually } from '../until.ts';
import { foundingIdentity, joiningIdentity } from './cluster-identities.ts';
import { type ClusterNode, type ClusterNodes, type Host, PATIENCE_MS, putAddress } from './cluster-nodes.ts';
import { addressesOf } from './dns-client.ts';
import { startEndpoint } from './endpoint-process.ts';
import type { Network } from './namespaces.ts';

interface World {
  readonly cluster: ClusterNodes;
  readonly network: Network;
  readonly hosts: ReadonlyMap<string, Host>;
}

type Fault = (world: World) => Promise<void>;

/** What can go wrong, in the order in which it does; each begins with a cluster in touch, and leaves one. */
export const faults: Readonly<Record<string, Fault>> = {
  'a node is cut off silently: both sides take writes, notice, and are equal once it is healed': cutOff,
  'a node starts again while it is cut off: what the others hold for its connection is dead': halfOpen,
  'a node hears one other no longer, which still hears it: its writes go by way of the third': oneWay,
  'a third of what a node hears is lost': lossy,
  'a link of 40 kB a second: a batch of writes arrives, and small ones are answered meanwhile': slow,
  'kill -9 at random moments under write load': kills,
  'a full disk: writes are refused, answers go on, and it catches up with room': fullDisk,
  "one node's way to all endpoints is cut: no answer changes": cutVantage,
  'garbage, and certificates of another cluster, of nobody, or that have ended: refused, and nothing else':
    strangers,
  'a node whose certificate has ended while it was off makes itself a new one': ended,
};

export const faultNames: readonly string[] = Object.keys(faults);

async function cutOff({ cluster, network }: World): Promise<void> {
  network.isolate('iad');
  await putAddress(cluster.node('iad').api, 'cut-in', '192.0.2.1');
  await putAddress(cluster.node('ams').api, 'cut-out', '192.0.2.2');
  await sees(cluster, 'ams', 'iad', 'down');
  await sees(cluster, 'iad', 'ams', 'down');
  await answers(cluster, 'iad', 'cut-out', []);
  network.heal();
  await cluster.allAnswer({ name: 'cut-in.example.org' }, ['192.0.2.1']);
  await cluster.allAnswer({ name: 'cut-out.example.org' }, ['192.0.2.2']);
  await cluster.inTouch();
}

async function halfOpen({ cluster, network }: World): Promise<void> {
  network.isolate('iad');
  // Nobody hears that its connections end.
  await cluster.kill('iad');
  await cluster.run('iad');
  await putAddress(cluster.node('iad').api, 'half-open', '192.0.2.3');
  network.heal();
  await cluster.allAnswer({ name: 'half-open.example.org' }, ['192.0.2.3']);
  await cluster.inTouch();
}

async function oneWay({ cluster, network }: World): Promise<void> {
  network.fault('fra', { input: 'drop' }, ['iad']);
  await putAddress(cluster.node('iad').api, 'around', '192.0.2.4');
  await cluster.allAnswer({ name: 'around.example.org' }, ['192.0.2.4']);
  await sees(cluster, 'fra', 'iad', 'down');
  await putAddress(cluster.node('fra').api, 'around-too', '192.0.2.5');
  await cluster.allAnswer({ name: 'around-too.example.org' }, ['192.0.2.5']);
  network.heal();
  await cluster.inTouch();
}

async function lossy({ cluster, network }: World): Promise<void> {
  network.fault('iad', { input: 'numgen random mod 100 < 33 drop' });
  for (const name of ['ams', 'iad']) await putAddress(cluster.node(name).api, `lossy-${name}`, '192.0.2.6');
  for (const name of ['ams', 'iad'])
    await cluster.allAnswer({ name: `lossy-${name}.example.org` }, ['192.0.2.6']);
  network.heal();
  await cluster.inTouch();
}

async function slow({ cluster, network }: World): Promise<void> {
  network.fault('iad', { input: 'limit rate over 40 kbytes/second burst 20 kbytes drop' });
  const { api } = cluster.node('ams');
  const set = Array.from({ length: 1000 }, (_, index) => ({
    name: `slow${index}.example.org`,
    type: 'A',
    ttlSeconds: 60,
    records: [`198.18.${index >> 8}.${index & 0xff}`],
  }));
  const written = await api.send('PATCH', '/v1/zones/example.org/rrsets', { set });
  if (!written.ok) throw new Error(await written.text());
  await putAddress(cluster.node('iad').api, 'small', '192.0.2.7');
  await cluster.allAnswer({ name: 'small.example.org' }, ['192.0.2.7']);
  await cluster.allAnswer({ name: 'slow999.example.org' }, ['198.18.3.231']);
  network.heal();
  await cluster.inTouch();
}

async function kills({ cluster }: World): Promise<void> {
  const acknowledged: string[] = [];
  for (const victim of ['iad', 'ams']) {
    const { api } = cluster.node(victim);
    // Somewhere in the middle, and elsewhere in every run.
    const killAt = 1 + Math.floor(Math.random() * 20);
    let writes = 0;
    const writeOn = async (): Promise<void> => {
      for (;;) {
        const label = `killed-${victim}-${writes++}`;
        try {
          await putAddress(api, label, '192.0.2.8');
        } catch {
          return;
        }
        acknowledged.push(label);
        if (acknowledged.length % 20 === killAt % 20) cluster.node(victim).process.signal('SIGKILL');
      }
    };
    await Promise.all([writeOn(), writeOn(), writeOn()]);
    await cluster.kill(victim);
    await cluster.run(victim);
  }
  await cluster.inTouch();
  for (const label of acknowledged)
    await cluster.allAnswer({ name: `${label}.example.org` }, ['192.0.2.8'], 10_000);
}

/** Enough for a node to run on. */
const DISK_MEGABYTES = 64;

async function fullDisk({ cluster }: World): Promise<void> {
  await cluster.kill('iad', 'SIGTERM');
  const data = cluster.dataOf('iad');
  renameSync(data, `${data}.large`);
  mkdirSync(data);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MEGABYTES}m`, 'none', data]);
  cpSync(`${data}.large`, data, { recursive: true });
  rmSync(`${data}.large`, { recursive: true });
  await cluster.run('iad');
  await cluster.inTouch();

  const filler = join(data, 'filler');
  const { bavail, bsize } = statfsSync(data);
  writeFileSync(filler, Buffer.alloc(Number(bavail) * Number(bsize)));
  const { api } = cluster.node('iad');
  let status = 0;
  // There may be room left within the database's own file.
  for (let write = 0; status < 400 && write < 5000; write++) {
    const name = `full${write}.example.org`;
    const body = { name, type: 'TXT', ttlSeconds: 60, records: [`"${'x'.repeat(200)}"`] };
    status = (await api.send('PUT', `/v1/zones/example.org/rrsets/${name}/TXT`, body)).status;
  }
  if (status < 500) throw new Error(`a write on a full disk is answered with ${status}`);
  await putAddress(cluster.node('ams').api, 'beside-full', '192.0.2.9');
  await answers(cluster, 'fra', 'beside-full', ['192.0.2.9']);
  await answers(cluster, 'iad', 'small', ['192.0.2.7']);
  rmSync(filler);
  await cluster.allAnswer({ name: 'beside-full.example.org' }, ['192.0.2.9']);
  await putAddress(api, 'room-again', '192.0.2.10');
  await cluster.allAnswer({ name: 'room-again.example.org' }, ['192.0.2.10']);
  await cluster.inTouch();
}

async function cutVantage({ cluster, network, hosts }: World): Promise<void> {
  const port = 8080;
  const web = hosts.get('web');
  const endpoint = await startEndpoint(web?.address ?? '', port, web?.launcher);
  const { api } = cluster.node('ams');
  await api.put('/v1/data-centers/par', { name: 'par', latitude: 48.86, longitude: 2.35 });
  await api.put('/v1/policies/closest', { name: 'closest', rank: { kind: 'nearest' } });
  const check = { kind: 'tcp', port, intervalSeconds: 0.5, timeoutSeconds: 0.5, rise: 1, fall: 2 };
  await api.put('/v1/monitors/web', { name: 'web', ...check });
  const one = { name: 'one', dataCenter: 'par', address: '192.0.2.20', probeAddress: web?.address };
  // Nobody answers there: the answer for as long as the first is up is the first.
  const other = { name: 'other', dataCenter: 'par', address: '192.0.2.21', probeAddress: '10.77.0.99' };
  await api.put('/v1/pools/web', { name: 'web', monitor: 'web', endpoints: [one, other] });
  const name = 'www.example.org';
  await api.put(`/v1/steered-names/${name}`, { name, pool: 'web', policy: 'closest', ttlSeconds: 5 });
  for (const node of cluster.nodes) await hears(node, 'ams up fra up iad up');
  network.isolate('iad', ['web']);
  for (const node of cluster.nodes) {
    await hears(node, 'ams up fra up iad down');
    await answers(cluster, node.name, 'www', ['192.0.2.20']);
  }
  network.heal();
  for (const node of cluster.nodes) await hears(node, 'ams up fra up iad up');
  await endpoint.kill();
}

/** Resolves when the node knows that the vantages say so of the endpoint `web/one`. */
async function hears({ api, name }: ClusterNode, want: string): Promise<void> {
  interface Body {
    readonly items: readonly {
      readonly key: string;
      readonly vantages: readonly { readonly vantage: string; readonly verdict: string }[];
    }[];
  }
  await eventually(
    async () => {
      const { items } = await api.get<Body>('/v1/health');
      const vantages = items.find(({ key }) => key === 'web/one')?.vantages ?? [];
      const said = vantages.map(({ vantage, verdict }) => `${vantage} ${verdict}`).join(' ');
      return said === want ? true : undefined;
    },
    { withinMs: PATIENCE_MS / 2, what: `${name} hears: ${want}` },
  );
}

/** Whoever has no business here, in the order of `refusals`: from this process, by the true transport where it can be. */
async function strangers({ cluster, network }: World): Promise<void> {
  const ams = cluster.identities.get('ams');
  const fra = cluster.identities.get('fra');
  if (ams === undefined || fra === undefined) throw new Error('there are no identities');
  const plan = { name: 'fra', region: 'eu', listen: '10.77.0.254:0' };
  const monthsAgo = Date.now() - 100 * 86_400_000;
  const callers = [
    ['foreign-ca', foundingIdentity(plan)],
    ['expired', { ...joiningIdentity(ams, plan, monthsAgo) }],
    ['unknown-node', joiningIdentity(ams, { ...plan, name: 'nobody' })],
  ] as const;
  const before = cluster.node('ams').process.output().length;
  for (const [reason, files] of callers) {
    const { settings, certificatePem, privateKeyPem } = files;
    const socket = connect({
      host: network.addressOf('ams'),
      port: Number(ams.settings.listen.split(':')[1]),
      cert: certificatePem,
      key: privateKeyPem,
      ca: ams.caCertificatePem,
      minVersion: 'TLSv1.3',
      ALPNProtocols: [PEER_PROTOCOL],
      checkServerIdentity: () => undefined,
    });
    socket.on('error', () => undefined);
    await refusedFor(cluster.node('ams'), before, `"reason":"${reason}"`, settings.name);
    socket.destroy();
  }
  const garbage = connectPlainly(Number(ams.settings.listen.split(':')[1]), network.addressOf('ams'));
  garbage.on('error', () => undefined);
  garbage.write(randomBytes(100_000));
  await refusedFor(cluster.node('ams'), before, '"reason":"protocol"', 'garbage');
  garbage.destroy();
  await putAddress(cluster.node('ams').api, 'undisturbed', '192.0.2.30');
  await cluster.allAnswer({ name: 'undisturbed.example.org' }, ['192.0.2.30']);
  await cluster.inTouch();
}

async function refusedFor(
  { process }: ClusterNode,
  from: number,
  reason: string,
  what: string,
): Promise<void> {
  await eventually(async () => (process.output().slice(from).includes(reason) ? true : undefined), {
    withinMs: PATIENCE_MS / 2,
    what: `${what} is refused with ${reason}`,
  });
}

/** Its certificate has ended while it was off: it makes itself a new one, with which it comes back. */
async function ended({ cluster }: World): Promise<void> {
  await cluster.kill('iad', 'SIGTERM');
  const files = cluster.identities.get('iad');
  const ams = cluster.identities.get('ams');
  if (files === undefined || ams === undefined) throw new Error('there are no identities');
  const { settings } = files;
  const old = joiningIdentity(ams, settings, Date.now() - 100 * 86_400_000);
  await replaceCertificate(cluster.dataOf('iad'), old);
  await cluster.run('iad');
  await putAddress(cluster.node('iad').api, 'renewed', '192.0.2.31');
  await cluster.allAnswer({ name: 'renewed.example.org' }, ['192.0.2.31']);
  await cluster.inTouch();
  const { certificateExpiresAt } = await cluster
    .node('iad')
    .api.get<{ certificateExpiresAt: string }>('/v1/cluster');
  if (Date.parse(certificateExpiresAt) < Date.now()) throw new Error(`it ended at ${certificateExpiresAt}`);
}

async function sees(cluster: ClusterNodes, name: string, peer: string, state: string): Promise<void> {
  await eventually(
    async () => ((await cluster.members(name)).get(peer)?.state === state ? true : undefined),
    { withinMs: PATIENCE_MS / 2, what: `${name} sees ${peer} ${state}` },
  );
}

async function answers(
  cluster: ClusterNodes,
  name: string,
  label: string,
  want: readonly string[],
): Promise<void> {
  const { process, address } = cluster.node(name);
  const question = { name: `${label}.example.org`, type: 'A' };
  await eventually(
    async () => {
      const found = await addressesOf(process.dnsPort, question, address);
      return found.join() === want.join() ? true : undefined;
    },
    { withinMs: PATIENCE_MS / 2, what: `${name} answers ${question.name} with ${want.join() || 'nothing'}` },
  );
}
