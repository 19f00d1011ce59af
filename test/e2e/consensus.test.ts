import { afterEach, beforeEach, expect, it } from 'vitest';
import { type EndpointProcess, freePort, startEndpoint } from './endpoint-process.ts';
import { openUplink, targetsAt, type Uplink, Vantages } from './vantages.ts';

// Three vantages, each a process that really probes four real servers, and one board that hears them all.

const ADDRESSES = ['127.0.4.1', '127.0.4.2', '127.0.4.3', '127.0.4.4'] as const;

let servers: readonly EndpointProcess[] = [];
let uplinks: readonly Uplink[] = [];
let vantages: Vantages;

/** `a` and `b` probe directly, `c` over an uplink that can be cut. */
beforeEach(async () => {
  const ports = await Promise.all(ADDRESSES.map((address) => freePort(address)));
  const places = ADDRESSES.map((address, index) => ({ address, port: ports[index] ?? 0 }));
  servers = await Promise.all(places.map(({ address, port }) => startEndpoint(address, port)));
  uplinks = await Promise.all(places.map((place) => openUplink(place)));
  vantages = new Vantages(['a', 'b', 'c'], ADDRESSES.length);
  vantages.start('a', targetsAt(places));
  vantages.start('b', targetsAt(places));
  vantages.start('c', targetsAt(uplinks));
  await vantages.until(() => vantages.board.vantages().every(({ up }) => up === ADDRESSES.length));
}, 30_000);

afterEach(async () => {
  await vantages.stop();
  await Promise.all(uplinks.map((uplink) => uplink.cut()));
  await Promise.all(servers.map((server) => server.kill()));
});

function suspects(): string {
  return vantages.board
    .vantages()
    .flatMap(({ vantage, suspect }) => (suspect ? [vantage] : []))
    .join(' ');
}

it('a vantage that is cut off moves nothing, the others still see a death, and all agree when it is back', async () => {
  expect(vantages.verdicts).toBe('uuuu');
  await Promise.all(uplinks.map((uplink) => uplink.cut()));
  await vantages.until(() => vantages.board.vantages()[2]?.down === ADDRESSES.length);
  expect(vantages.saidOf(0)).toBe('a up, b up, c down');
  expect([vantages.verdicts, suspects()]).toEqual(['uuuu', 'c']);

  await servers[0]?.kill();
  await vantages.until(() => vantages.verdicts === 'duuu');
  expect(vantages.health(0)?.basis).toBe('quorum');

  await Promise.all(uplinks.map((uplink) => uplink.mend()));
  await vantages.until(() => suspects() === '' && vantages.saidOf(1) === 'a up, b up, c up');
  await servers[1]?.kill();
  await vantages.until(() => vantages.saidOf(1) === 'a down, b down, c down');
  expect([vantages.verdicts, vantages.saidOf(0)]).toEqual(['dduu', 'a down, b down, c down']);

  // Nothing else has ever changed on the way.
  const changes = vantages.board.events().map(({ key, to }) => `${key} ${to}`);
  expect(changes.filter((change) => change.endsWith('down'))).toEqual(['web/1 down', 'web/0 down']);
}, 60_000);

it('a vantage that stands still loses its vote, and two of three decide without it', async () => {
  vantages.signal('c', 'SIGSTOP');
  await vantages.until(() => vantages.saidOf(0) === 'a up, b up');
  expect(vantages.verdicts).toBe('uuuu');

  await servers[2]?.kill();
  await vantages.until(() => vantages.verdicts === 'uudu');
  expect(vantages.saidOf(2)).toBe('a down, b down');

  vantages.signal('c', 'SIGCONT');
  await vantages.until(() => vantages.saidOf(2) === 'a down, b down, c down');
  expect(vantages.verdicts).toBe('uudu');
  await servers[2]?.start();
  await vantages.until(() => vantages.verdicts === 'uuuu');
}, 60_000);
