import { describe, expect, it } from 'vitest';
import { AWAY_AFTER_MS } from '../../../src/cluster/health/presence.ts';
import { PushReports } from '../../../src/node/health/push-reports.ts';
import { endpoint } from '../../health/scene.ts';
import { names, thresholds, World } from './exchange-world.ts';

const DAY_MS = 86_400_000;

/** Every node probes every endpoint once a second for so long; the word says how each endpoint's probes end. */
function probeAll(world: World, seconds: number, word: string, who = world.nodes): void {
  for (let second = 0; second < seconds; second += 1) {
    for (const node of who) for (const [at, name] of names.entries()) node.probe(name, word.charAt(at));
    world.pass(1000);
  }
}

function linked(...nodes: readonly string[]): World {
  const world = new World(nodes);
  world.linkAll();
  return world;
}

describe('observations between nodes', () => {
  it('join on every board', () => {
    const world = linked('a', 'b', 'c');
    probeAll(world, 2, 'ssss');
    expect(world.verdicts).toBe('uuuu uuuu uuuu');
    expect(world.node('c').saidOf('1')).toBe('a up, b up, c up');
    expect(world.nodes.map(({ problems }) => problems).join('')).toBe('');
  });

  it('move all nodes in the next turn when a verdict changes', () => {
    const world = linked('a', 'b', 'c');
    probeAll(world, 2, 'ssss');
    for (const node of world.nodes.slice(0, 2)) node.probe('1', 'ff');
    world.pass(0);
    expect(world.verdicts).toBe('duuu duuu duuu');
    expect(world.node('c').saidOf('1')).toBe('a down, b down, c up');
  });

  it('of what is steady cost a few octets, and keep the votes young', () => {
    const world = linked('a', 'b');
    probeAll(world, 2, 'ssss');
    const { frames } = world.node('b');
    const before = frames.length;
    probeAll(world, 6, 'ssss', [world.node('a')]);
    const sizes = frames.slice(before).map(({ length }) => length);
    expect(sizes).toHaveLength(6);
    expect(Math.max(...sizes)).toBeLessThan(60);
    expect(world.node('b').saidOf('1')).toBe('a up');
    const health = world.node('b').board.health()[0];
    expect([health?.lastResult?.vantage, health?.consecutiveSuccesses]).toEqual(['a', 8]);
  });

  it('of a vantage that falls silent end where they would have ended at home', () => {
    const world = linked('a', 'b');
    probeAll(world, 1, 'ssss', [world.node('a')]);
    world.pass(thresholds.expiryMs - 1001);
    expect(world.node('b').saidOf('1')).toBe('a up');
    world.pass(500);
    expect(world.node('b').saidOf('1')).toBe('');
  });

  it('are read by the clock of the reader, however wrong the other is', () => {
    const world = linked('a', 'b', 'c');
    world.node('a').skewMs = -400 * DAY_MS;
    world.node('b').skewMs = 3 * DAY_MS;
    probeAll(world, 2, 'sssf');
    expect(world.verdicts).toBe('uuud uuud uuud');
    const { vantages = [] } = world.node('c').board.health()[3] ?? {};
    const ages = vantages.map(({ at }) => world.node('c').epochMs() - Date.parse(at));
    expect(ages.every((ageMs) => ageMs >= 0 && ageMs <= 2000)).toBe(true);
    const since = world
      .node('c')
      .board.observationsOf('web/4')
      .map(({ sinceMs }) => sinceMs);
    expect(since.every((ms) => Math.abs(ms - world.node('c').epochMs()) < 5000)).toBe(true);
  });

  it('count of a peer that starts anew with a clock that went back', () => {
    const world = linked('a', 'b');
    const [a, b] = [world.node('a'), world.node('b')];
    probeAll(world, 2, 'ssss');
    world.cut(a, b);
    a.skewMs = -30 * DAY_MS;
    world.link(a, b);
    probeAll(world, 3, 'fffs', [a]);
    expect(b.saidOf('1')).toContain('a down');
  });

  it('that are old when a session comes up are no younger for it', () => {
    const world = new World(['a', 'b']);
    const [a, b] = [world.node('a'), world.node('b')];
    a.probe('1', 's');
    world.pass(3000);
    world.link(a, b);
    expect(b.saidOf('1')).toBe('a up');
    world.pass(500);
    expect(b.saidOf('1')).toBe('');
  });
});

describe('a peer that cannot be sent to', () => {
  it('gets the newest of each when there is room, and nothing twice', () => {
    const world = linked('a', 'b');
    const [a, b] = [world.node('a'), world.node('b')];
    probeAll(world, 2, 'ssss');
    world.room(a, b, 0);
    const before = b.frames.length;
    for (let second = 0; second < 30; second += 1) {
      a.probe('1', second % 2 === 0 ? 'ff' : 'ss');
      world.pass(1000);
    }
    expect(b.frames.length).toBe(before);
    world.room(a, b, 100);
    expect(b.frames.length).toBe(before + 1);
    expect(b.saidOf('1')).toContain('a up');
    a.probe('1', 'ff');
    world.pass(0);
    expect(b.saidOf('1')).toContain('a down');
  });
});

describe('sources that the nodes do not know alike', () => {
  it('are told of once the configuration has them', () => {
    const world = new World(['a', 'b'], ['1']);
    world.linkAll();
    const [a, b] = [world.node('a'), world.node('b')];
    const sources = new Map([
      ['web/1', '192.0.2.0'],
      ['web/new', '192.0.2.9'],
    ]);
    a.exchange.setSources(sources);
    a.probe('new', 's');
    world.pass(50);
    expect([b.arrivals.length, b.exchange.counters().strange]).toEqual([0, 1]);
    b.board.setEndpoints([endpoint('1', 0), endpoint('new', 9)], b.epochMs());
    b.exchange.setSources(sources);
    expect(b.saidOf('new')).toBe('a up');
    a.probe('new', 's');
    world.pass(50);
    expect(b.arrivals.map(({ told }) => told)).toEqual(['in-full', 'again']);
  });

  it('are asked for again when there were more of them than fit', () => {
    const many = Array.from({ length: 1500 }, (_, at) => `many-${at}`);
    const world = new World(['a', 'b'], ['1']);
    world.linkAll();
    const [a, b] = [world.node('a'), world.node('b')];
    const sources = new Map(many.map((name) => [`web/${name}`, '192.0.2.0']));
    a.exchange.setSources(sources);
    for (const name of many) a.probe(name, 's');
    world.pass(2000);
    b.exchange.setSources(sources);
    expect(b.arrivals.length).toBe(1000);
    world.pass(0);
    expect(new Set(b.arrivals.map(({ observation }) => observation.key)).size).toBe(1500);
    expect(b.arrivals.every(({ ageMs }) => ageMs === 2000)).toBe(true);
  });

  it('come back when they were gone for a moment on one side', () => {
    const world = linked('a', 'b');
    const [a, b] = [world.node('a'), world.node('b')];
    probeAll(world, 2, 'ssss', [a]);
    b.exchange.setSources(new Map());
    b.exchange.setSources(new Map([['web/1', '192.0.2.0']]));
    b.arrivals.length = 0;
    probeAll(world, 1, 'ssss', [a]);
    expect(b.arrivals.map(({ observation, told }) => `${observation.key} ${told}`)).toEqual(['web/1 again']);
  });

  it('are not mixed up when an address has changed on one side', () => {
    const world = linked('a', 'b');
    const [a, b] = [world.node('a'), world.node('b')];
    a.exchange.setSources(new Map([['web/1', '192.0.2.77']]));
    a.probe('1', 'ff');
    world.pass(50);
    expect(b.saidOf('1')).toBe('');
  });
});

describe('what an endpoint reports to any node', () => {
  const leaseMs = 30_000;
  const sources = [{ key: 'web/1', settings: { leaseSeconds: leaseMs / 1000 } }];
  const pushed = endpoint('1', 0, {
    check: {
      rule: { kind: 'source', key: 'web/1' },
      sources: [{ key: 'web/1', monitor: 'push', target: 'push', counting: { kind: 'pushed', leaseMs } }],
    },
  });

  it('counts on all for its lease, and the newest wins, whatever the clocks of the nodes say', () => {
    const world = linked('a', 'b', 'c');
    world.node('a').skewMs = 5 * DAY_MS;
    const reports = new Map(world.nodes.map(({ name }) => [name, new PushReports(name)]));
    const report = (name: string, up: boolean): void => {
      const node = world.node(name);
      const { observations } = reports.get(name)?.take(sources, { up }, node.epochMs()) ?? {
        observations: [],
      };
      for (const observation of observations) node.board.observe(observation, node.epochMs());
      node.exchange.takeOwn(observations);
      world.pass(50);
    };
    for (const node of world.nodes) {
      node.board.setEndpoints([pushed], node.epochMs());
      node.exchange.setSources(new Map([['web/1', 'push']]));
    }
    report('a', true);
    expect(world.verdicts).toBe('u u u');
    world.pass(leaseMs - 1000);
    report('b', true);
    world.pass(1000);
    expect(world.verdicts).toBe('u u u');
    report('c', false);
    expect(world.verdicts).toBe('d d d');
    report('a', true);
    expect(world.verdicts).toBe('u u u');
    world.pass(leaseMs + 500);
    expect(world.verdicts).toBe('d d d');
  });
});

describe('being live', () => {
  it('is told to every peer, by its own clock', () => {
    const world = linked('a', 'b', 'c');
    world.node('a').skewMs = DAY_MS;
    const a = world.node('a');
    a.exchange.tellLive({ key: 'web/1', verdict: 'down', atMs: a.epochMs() - 7 });
    world.pass(0);
    const b = world.node('b');
    expect(b.live).toEqual([`a web/1 down ${b.epochMs() - 7}`]);
    expect(world.node('c').live).toEqual(b.live);
  });
});

describe('a partition', () => {
  it('leaves the minority with what it knew, while the majority goes on, and all agree when it heals', () => {
    const world = linked('a', 'b', 'c', 'd', 'e');
    probeAll(world, 3, 'ssss');
    world.split('ab', 'cde');
    probeAll(world, 12, 'fsss');
    expect(world.verdicts).toBe('uuuu uuuu duuu duuu duuu');
    expect(world.nodes.map(({ problems }) => problems)).toEqual([
      'cut-off no-quorum',
      'cut-off no-quorum',
      '',
      '',
      '',
    ]);
    expect(world.node('a').board.problems()[0]?.message).toMatch(
      /^This node is in touch with only 2 of the 5/,
    );
    world.linkAll();
    world.pass(100);
    expect(world.verdicts).toBe('duuu duuu duuu duuu duuu');
    expect(world.nodes.map(({ problems }) => problems).join('')).toBe('');
  });

  it('of two nodes leaves both with what they knew', () => {
    const world = linked('a', 'b');
    probeAll(world, 3, 'ssss');
    world.split('a', 'b');
    probeAll(world, 12, 'fsss');
    expect(world.verdicts).toBe('uuuu uuuu');
    expect(world.node('a').board.health()[0]?.basis).toBe('no-quorum');
    expect(world.node('b').board.problems()[0]?.message).toMatch(
      /in touch with no other node of the cluster/,
    );
  });

  it('is no partition while a session is only taken up again', () => {
    const world = linked('a', 'b');
    probeAll(world, 3, 'ssss');
    world.split('a', 'b');
    world.pass(AWAY_AFTER_MS - 1);
    world.linkAll();
    expect(
      world
        .node('a')
        .board.vantages()
        .some(({ away }) => away),
    ).toBe(false);
  });

  it('changes no answer when it is one vantage that lost all endpoints', () => {
    const world = linked('a', 'b', 'c');
    probeAll(world, 3, 'ssss');
    const [c] = world.nodes.slice(2);
    const others = world.nodes.slice(0, 2);
    for (let second = 0; second < 10; second += 1) {
      for (const node of others) for (const name of names) node.probe(name, 's');
      for (const name of names) c?.probe(name, 'f');
      world.pass(1000);
    }
    expect(world.verdicts).toBe('uuuu uuuu uuuu');
    expect(world.nodes.map(({ problems }) => problems)).toEqual(Array(3).fill('suspect-vantage'));
    const changes = world.nodes.flatMap(({ board }) => board.events());
    expect(changes.filter(({ from }) => from !== 'unknown')).toEqual([]);
  });
});
