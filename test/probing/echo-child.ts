import { spawnSync } from 'node:child_process';
import dgram from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createIcmpProbe } from '../../src/probing/probes/icmp.ts';
import { loadNative } from '../../src/server/native.ts';
import type { NativePing } from '../../src/server/native-ping.ts';
import { encodeEchoReply } from './echo-reply.ts';

// Runs in a network namespace of its own, where turning echo off disturbs nobody. Writes one JSON object: results
// by scenario.

const AMPLE_MS = 10_000;

const loaded = loadNative();
if ('reason' in loaded) throw new Error(loaded.reason);
const { native } = loaded;

function sysctl(path: string, value: string): void {
  writeFileSync(`/proc/sys/net/${path}`, value);
}

function ignoreEchoes(ignored: '0' | '1'): void {
  sysctl('ipv4/icmp_echo_ignore_all', ignored);
}

async function probe(
  address: string,
  given: object,
  timeoutMs: number,
  using: NativePing = native,
): Promise<object> {
  const kind = createIcmpProbe(() => ({ native: using }));
  const settings = kind.settings.parse(given);
  return kind.run({ address, port: undefined, timeoutMs }, settings as never, new AbortController().signal);
}

/** A socket that sends whatever it is told, echo replies among it. */
async function openForger(): Promise<dgram.Socket> {
  const forger = dgram.createSocket('udp4');
  const descriptor = native.openPlainDatagram(4);
  forger.bind({ fd: descriptor, exclusive: true });
  native.makeRawPing(descriptor, 4, 0);
  await new Promise<void>((resolve) => forger.connect(1, '127.0.0.1', resolve));
  return forger;
}

/** Learns the identifier of raw sockets, as one does who sees the traffic. */
function watchedNative(onIdentifier: (identifier: number) => void): NativePing {
  return {
    openPing: (family) => native.openPing(family),
    openPlainDatagram: (family) => native.openPlainDatagram(family),
    makeRawPing: (descriptor, family, identifier) => {
      native.makeRawPing(descriptor, family, identifier);
      onIdentifier(identifier);
    },
  };
}

async function forged(shift: number): Promise<object> {
  ignoreEchoes('1');
  const forger = await openForger();
  let left = 2000;
  const using = watchedNative((identifier) => {
    const reply = encodeEchoReply((identifier + shift) & 0xffff, 0, new Uint8Array(56));
    const sendSome = (): void => {
      for (let count = 0; count < 20 && left > 0; count += 1, left -= 1) forger.send(reply);
      if (left > 0) setImmediate(sendSome);
    };
    setImmediate(sendSome);
  });
  const result = await probe('127.0.0.1', {}, shift === 0 ? AMPLE_MS : 500, using);
  left = 0;
  forger.close();
  ignoreEchoes('0');
  return result;
}

/** Echoes go out every 150 ms; from the time between the second and the third on, none is answered. */
async function lossy(answered: string): Promise<object> {
  setTimeout(() => ignoreEchoes('1'), 225);
  const result = await probe('127.0.0.1', { count: 5, answered }, 1500);
  ignoreEchoes('0');
  return result;
}

async function scenarios(): Promise<Record<string, object>> {
  const results: Record<string, object> = {};
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  sysctl('ipv4/ping_group_range', '1 0');
  results['raw v4'] = await probe('127.0.0.1', { count: 3, answered: 'all', payloadOctets: 1400 }, AMPLE_MS);
  results['raw v6'] = await probe('::1', { count: 3, answered: 'all' }, AMPLE_MS);
  results['replies forged with another identifier'] = await forged(1);
  results['a flood of forged replies with the right identifier'] = await forged(0);
  sysctl('ipv4/ping_group_range', '0 2147483647');
  results['ping v4'] = await probe('127.0.0.1', { count: 3, answered: 'all', payloadOctets: 1400 }, AMPLE_MS);
  results['ping v6'] = await probe('::1', { count: 3, answered: 'all' }, AMPLE_MS);
  results['ping v6 written otherwise'] = await probe('0:0:0:0:0:0:0:1', {}, AMPLE_MS);
  results['some lost where any is enough'] = await lossy('any');
  results['some lost where all are wanted'] = await lossy('all');
  ignoreEchoes('1');
  results.silence = await probe('127.0.0.1', { count: 2 }, 300);
  ignoreEchoes('0');
  results['no route'] = await probe('192.0.2.1', {}, AMPLE_MS);
  spawnSync('ip', ['route', 'add', 'prohibit', '203.0.113.0/24']);
  results['a route that this machine prohibits'] = await probe('203.0.113.1', {}, AMPLE_MS);
  // A link where nobody answers ARP: after that has failed, the kernel tells a host unreachable.
  spawnSync('ip', ['link', 'add', 'near', 'type', 'veth', 'peer', 'name', 'far']);
  sysctl('ipv4/neigh/near/mcast_solicit', '1');
  sysctl('ipv4/neigh/near/retrans_time_ms', '50');
  spawnSync('ip', ['address', 'add', '198.51.100.1/24', 'dev', 'near']);
  for (const end of ['near', 'far']) spawnSync('ip', ['link', 'set', end, 'up']);
  results['a host unreachable'] = await probe('198.51.100.2', {}, AMPLE_MS);
  sysctl('ipv4/ping_group_range', '1 0');
  process.setgroups?.([]);
  process.setgid?.(65_534);
  process.setuid?.(65_534);
  results.forbidden = await probe('127.0.0.1', {}, AMPLE_MS);
  return results;
}

process.stdout.write(JSON.stringify(await scenarios()));
