import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/config/check.ts';
import { type HealthRule, resolveRule } from '../../src/config/health-rule.ts';
import type { Config } from '../../src/config/model.ts';
import type { ComposedRule } from '../../src/config/resources/composed-monitor.ts';
import { configOf, contract, fra, write } from './config-fixture.ts';

interface Given {
  /** Rules of composed monitors by name. */
  readonly monitors: Readonly<Record<string, ComposedRule>>;
  /** Monitors of endpoints of the pool `web`; those of `a` and `b` are `tcp` unless told. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

function configFor({ monitors, endpoints = {} }: Given): Config {
  return configOf(
    write('dataCenters', fra),
    write('monitors', { name: 'tcp', kind: 'tcp', port: 80 }),
    write('monitors', { name: 'job', kind: 'push' }),
    ...Object.entries(monitors).map(([name, rule]) =>
      write('monitors', { name, kind: 'composed', settings: { rule } }),
    ),
    write('pools', {
      name: 'web',
      endpoints: ['a', 'b', 'c'].map((name, index) => ({
        name,
        dataCenter: 'fra',
        address: `192.0.2.${index}`,
        ...(name === 'c' ? {} : { monitor: endpoints[name] ?? 'tcp' }),
      })),
    }),
  );
}

function textOf(rule: HealthRule): string {
  if (rule.kind === 'source') return rule.key;
  if (rule.kind === 'constant') return rule.verdict;
  if (rule.kind === 'not') return `not ${textOf(rule.of)}`;
  return `${rule.count}(${rule.of.map(textOf).join(' ')})`;
}

describe('the rule of an endpoint', () => {
  const cases: readonly (Given & { readonly name: string; readonly want: string })[] = [
    { name: 'by one monitor', monitors: {}, want: 'web/a' },
    {
      name: 'by two monitors of its own',
      monitors: { both: { all: [{ monitor: 'tcp' }, { monitor: 'job' }] } },
      endpoints: { a: 'both' },
      want: '2(web/a@tcp web/a@job)',
    },
    {
      name: 'by another endpoint, also one that nothing checks',
      monitors: { far: { any: [{ endpoint: 'web/b' }, { not: { endpoint: 'web/c' } }] } },
      endpoints: { a: 'far' },
      want: '1(web/b not up)',
    },
    {
      name: 'by another composed endpoint, resolved',
      monitors: { far: { all: [{ endpoint: 'web/b' }] }, near: { atLeast: 1, of: [{ monitor: 'tcp' }] } },
      endpoints: { a: 'far', b: 'near' },
      want: '1(1(web/b@tcp))',
    },
    {
      name: 'by another composed monitor, run against the same endpoint',
      monitors: { outer: { all: [{ monitor: 'inner' }] }, inner: { not: { monitor: 'tcp' } } },
      endpoints: { a: 'outer' },
      want: '1(not web/a@tcp)',
    },
    {
      name: 'unknown where it leads nowhere',
      monitors: { lost: { all: [{ monitor: 'gone' }, { endpoint: 'web/gone' }] } },
      endpoints: { a: 'lost' },
      want: '2(unknown unknown)',
    },
    {
      name: 'unknown where it leads back',
      monitors: { loop: { all: [{ endpoint: 'web/a' }] } },
      endpoints: { a: 'loop' },
      want: '1(unknown)',
    },
  ];
  it.each(cases)('$name', ({ want, ...given }) => {
    const config = configFor(given);
    const endpoint = config.pools.get('web')?.value.endpoints[0];
    const monitor = config.monitors.get(endpoint?.monitor ?? '')?.value;
    if (endpoint === undefined || monitor === undefined) throw new Error('no endpoint');
    expect(textOf(resolveRule(config, 'web', endpoint, monitor).rule)).toBe(want);
  });
});

describe('problems of composed monitors', () => {
  const chain = Object.fromEntries(
    Array.from({ length: 10 }, (_, index) => [`m${index}`, { all: [{ monitor: `m${index + 1}` }] }]),
  );
  const cases: readonly (Given & { readonly name: string; readonly want: readonly string[] })[] = [
    { name: 'none', monitors: { both: { all: [{ monitor: 'tcp' }, { endpoint: 'web/b' }] } }, want: [] },
    {
      name: 'a monitor that is not there',
      monitors: { lost: { any: [{ monitor: 'gone' }] } },
      want: ['unknown-monitor monitors/lost/settings/rule'],
    },
    {
      name: 'an endpoint that is not there, told once for all that use it',
      monitors: { lost: { any: [{ endpoint: 'web/gone' }] } },
      endpoints: { a: 'lost', b: 'lost' },
      want: ['unknown-endpoint monitors/lost/settings/rule'],
    },
    {
      name: 'monitors in a circle',
      monitors: { one: { all: [{ monitor: 'two' }] }, two: { all: [{ monitor: 'one' }] } },
      want: ['composed-cycle monitors/one/settings/rule', 'composed-cycle monitors/two/settings/rule'],
    },
    {
      name: 'endpoints in a circle',
      monitors: { one: { all: [{ endpoint: 'web/b' }] }, two: { all: [{ endpoint: 'web/a' }] } },
      endpoints: { a: 'one', b: 'two' },
      want: ['composed-cycle monitors/one/settings/rule', 'composed-cycle monitors/two/settings/rule'],
    },
    {
      name: 'a chain that is too long',
      monitors: { ...chain, m10: { not: { monitor: 'tcp' } } },
      want: expect.arrayContaining(['composed-too-deep monitors/m8/settings/rule']) as unknown as string[],
    },
  ];
  it.each(cases)('$name', ({ want, ...given }) => {
    const problems = checkConfig(configFor(given)).filter(({ path }) => path.startsWith('monitors/'));
    expect(problems.map(({ code, path }) => `${code} ${path}`)).toEqual(want);
  });

  it('say which way the circle goes', () => {
    const given: Given = {
      monitors: { one: { all: [{ endpoint: 'web/b' }] }, two: { all: [{ endpoint: 'web/a' }] } },
      endpoints: { a: 'one', b: 'two' },
    };
    expect(checkConfig(configFor(given)).map(({ message }) => message)).toContain(
      'It leads back to itself: one of web/a, then two of web/b, then one of web/a.',
    );
  });

  it('are few however much a rule names', () => {
    const wide = (name: string): ComposedRule => ({
      all: Array.from({ length: 60 }, () => ({ all: Array.from({ length: 60 }, () => ({ monitor: name })) })),
    });
    const monitors = { a: wide('b'), b: wide('c'), c: wide('d'), d: wide('tcp') };
    const problems = checkConfig(configFor({ monitors, endpoints: { a: 'a' } }));
    expect(problems.map(({ code }) => code)).toContain('composed-too-large');
  });
});

describe('the schema of a composed rule', () => {
  const deep = (levels: number): unknown => {
    let rule: unknown = { monitor: 'tcp' };
    for (let level = 0; level < levels; level += 1) rule = { not: rule };
    return rule;
  };
  const cases: readonly { readonly name: string; readonly given: unknown; readonly want: boolean }[] = [
    {
      name: 'takes a tree',
      given: { any: [{ monitor: 'tcp' }, { not: { endpoint: 'web/a' } }] },
      want: true,
    },
    { name: 'takes k of n', given: { atLeast: 1, of: [{ monitor: 'tcp' }] }, want: true },
    { name: 'refuses more than there are', given: { atLeast: 2, of: [{ monitor: 'tcp' }] }, want: false },
    { name: 'refuses two at once', given: { monitor: 'tcp', endpoint: 'web/a' }, want: false },
    { name: 'refuses an empty list', given: { all: [] }, want: false },
    { name: 'refuses nothing', given: undefined, want: false },
    { name: 'takes some levels', given: deep(7), want: true },
    { name: 'refuses many levels', given: deep(50_000), want: false },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    const monitor = { name: 'm', kind: 'composed', settings: { rule: given } };
    expect(contract.schemas.monitors.safeParse(monitor).success).toBe(want);
  });
});
