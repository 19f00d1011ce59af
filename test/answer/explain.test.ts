import { describe, expect, it } from 'vitest';
import type { Override } from '../../src/config/resources/override.ts';
import { explainOver, steeredConfig } from './steered-zone.ts';

const config = steeredConfig();
const GERMAN = '192.0.2.0/25';

function forced(state: Override['state'], ...dataCenters: readonly string[]): readonly Override[] {
  return dataCenters.map((dataCenter) => ({
    id: `${state}-${dataCenter}`,
    state,
    target: { kind: 'data-center', dataCenter },
    reason: 'as the test wants it',
  }));
}

/** One sentence per step. */
function story(
  question: Parameters<typeof explainOver>[2],
  overrides: readonly Override[] = [],
): readonly string[] {
  return explainOver(config, overrides, question).steps.map(({ step, text }) => `${step}: ${text}`);
}

describe('the steps of a steered answer', () => {
  it('tell the nearest data center', () => {
    expect(story({ name: 'www.example.org.', client: GERMAN })).toEqual([
      'zone: www.example.org. lies in the zone example.org.',
      'lookup: www.example.org. is a steered name, with pool web and policy closest.',
      'client: The client is in 192.0.2.0/25, from the client subnet of the query; the geo table puts it in Hesse, DE, EU at latitude 50.50, longitude 9.00 (AS64500).',
      expect.stringMatching(
        /^policy: Policy closest, step 1: nearest first: fra \d+ km, ams \d+ km, sin \d+ km\.$/,
      ),
      expect.stringMatching(
        /^candidates: The order for this client is fra at \d+ km \(up\), ams at \d+ km \(up\), sin at \d+ km \(up\)\.$/,
      ),
      'choice: fra is chosen: it is the first of the order with an endpoint that is up.',
      expect.stringMatching(
        /^answer: The answer is NOERROR with 1 record, to be kept 30 s, for all clients in 192\.0\.2\.0\/\d+\.$/,
      ),
    ]);
  });

  it('tell the detour past what is down', () => {
    const explanation = explainOver(config, forced('down', 'fra'), {
      name: 'www.example.org.',
      client: GERMAN,
    });
    const choice = explanation.steps.find(({ step }) => step === 'choice');
    expect(choice?.text).toBe(
      'ams is chosen, past fra (down): it is the first of the order with an endpoint that is up.',
    );
    expect(choice?.details).toEqual({
      tier: 'up',
      dataCenter: 'ams',
      passedOver: ['fra'],
      allDown: 'fail-open',
      spill: { effect: 'none', passedOnBy: [] },
    });
    expect(explanation.answer.records).toEqual(['www.example.org. 30 IN A 203.0.113.2']);
    expect(explanation.dataCenters.map(({ name, rank, chosen }) => [name, rank, chosen])).toEqual([
      ['fra', 1, false],
      ['ams', 2, true],
      ['sin', 3, false],
    ]);
  });

  it('tell the rule of a policy, and whom it leaves out', () => {
    const inRule = explainOver(config, [], { name: 'ruled.example.org.', client: '192.0.2.200' });
    expect(inRule.steps.filter(({ step }) => step === 'policy').map(({ text }) => text)[0]).toBe(
      'Policy ruled, step 1: rule 1 matches by prefix 192.0.2.128/25.',
    );
    expect(inRule.dataCenters.map(({ name, rank }) => [name, rank])).toEqual([
      ['sin', 1],
      ['ams', undefined],
      ['fra', undefined],
    ]);
    const inCountry = explainOver(config, [], { name: 'ruled.example.org.', client: '192.0.2.1' });
    expect(inCountry.steps.find(({ step }) => step === 'policy')?.text).toContain(
      'rule 2 matches by country DE',
    );
    expect(inCountry.answer.records).toEqual(['ruled.example.org. 30 IN A 203.0.113.2']);
    const elsewhere = story({ name: 'ruled.example.org.', client: '198.51.100.1' });
    expect(elsewhere).toContain('candidates: The policy names no data center for this client.');
    expect(elsewhere).toContain('choice: No data center is chosen: the policy names none for this client.');
  });

  it.each([
    {
      name: 'fails open',
      question: 'www.example.org.',
      want: 'fra is chosen: nothing is up, and the name then fails open and answers as if all were.',
    },
    {
      name: 'answers nothing',
      question: 'silent.example.org.',
      want: 'No data center is chosen: nothing is up, and the name then answers nodata (nodata).',
    },
    {
      name: 'falls back',
      question: 'spare.example.org.',
      want: 'No data center is chosen: nothing is up, and the fallback addresses of the name are answered.',
    },
  ])('tell how a name $name when all are down', ({ question, want }) => {
    const all = forced('down', 'fra', 'ams', 'sin');
    expect(story({ name: question, client: GERMAN }, all)).toContain(`choice: ${want}`);
  });

  it('tell what the pool does not have', () => {
    const elsewhere = story({ name: 'www.example.org.', type: 'MX', client: GERMAN });
    expect(elsewhere).toContain(
      'choice: No data center is chosen: the pool web has no endpoint for type MX.',
    );
    // Nobody was located and nothing ranked, so nothing is said of that.
    expect(elsewhere.filter((step) => /^(policy|candidates):/.test(step))).toEqual([]);
    expect(elsewhere.at(-1)).toBe(
      'answer: The answer is NOERROR without a record of type MX, for all clients in 0.0.0.0/0.',
    );
  });

  it('take the endpoints of the type asked for', () => {
    const { dataCenters, answer } = explainOver(config, [], {
      name: 'www.example.org.',
      type: 'AAAA',
      client: '198.51.100.1',
    });
    expect(answer.records).toEqual(['www.example.org. 30 IN AAAA 2001:db8::1']);
    const endpoints = dataCenters.flatMap((dataCenter) => dataCenter.endpoints);
    expect(endpoints.filter(({ fits }) => fits).map(({ key }) => key)).toEqual(['web/fra-v6']);
    expect(endpoints.filter(({ answered }) => answered).map(({ key }) => key)).toEqual(['web/fra-v6']);
  });

  it('follow a CNAME, and a wildcard', () => {
    expect(story({ name: 'alias.example.org.', client: GERMAN })[1]).toBe(
      'lookup: alias.example.org. leads through CNAME records by way of www.example.org. to the steered name www.example.org., with pool web and policy closest.',
    );
    expect(story({ name: 'a.b.wild.example.org.', client: GERMAN })[1]).toBe(
      'lookup: a.b.wild.example.org. leads to the steered name *.wild.example.org., with pool web and policy closest.',
    );
  });
});

describe('the client', () => {
  it('is the resolver where the query tells no other', () => {
    const { client, answer, steps } = explainOver(config, [], {
      name: 'www.example.org.',
      resolver: '198.51.100.7',
    });
    expect(client).toMatchObject({
      address: '198.51.100.7',
      prefix: '198.51.100.7/32',
      source: 'resolver',
      location: { country: 'SG', continent: 'AS', coordinates: { latitude: expect.closeTo(1.3, 3) } },
    });
    expect(steps.find(({ step }) => step === 'client')?.text).toContain(
      'its sender 198.51.100.7 stands for the client',
    );
    expect(answer).not.toHaveProperty('scope');
  });

  it('may be where the geo table knows nothing', () => {
    const { client, dataCenters, steps } = explainOver(config, [], {
      name: 'www.example.org.',
      client: '203.0.113.0/24',
    });
    expect(client.location).toMatchObject({ country: '', asn: 0 });
    expect(client.location).not.toHaveProperty('coordinates');
    expect(steps.find(({ step }) => step === 'client')?.text).toContain(
      'the geo table does not know its place',
    );
    expect(dataCenters.every((dataCenter) => dataCenter.distanceKm === undefined)).toBe(true);
  });

  it('has true distances', () => {
    const { dataCenters } = explainOver(config, [], { name: 'www.example.org.', client: '198.51.100.1' });
    const distances = dataCenters.map(({ name, distanceKm }) => [
      name,
      Math.round((distanceKm ?? 0) / 100) * 100,
    ]);
    expect(distances).toEqual([
      ['sin', 0],
      ['fra', 10_300],
      ['ams', 10_500],
    ]);
  });
});

describe('an answer that is not steered', () => {
  it.each([
    {
      name: 'plain.example.org.',
      want: 'plain.example.org. has records of type A, the same for every client.',
      outcome: 'answer',
    },
    { name: 'example.org.', want: 'example.org. exists, but has no records of type A.', outcome: 'nodata' },
    { name: 'none.example.org.', want: 'The zone has no such name.', outcome: 'nxdomain' },
    {
      name: 'a.sub.example.org.',
      want: 'a.sub.example.org. lies below a zone cut: other name servers answer for it.',
      outcome: 'delegation',
    },
    { name: 'example.net.', want: 'Nothing is looked up outside our zones.', outcome: 'refused' },
  ])('for $name ends in $outcome', ({ name, want, outcome }) => {
    const explanation = explainOver(config, [], { name, client: GERMAN });
    expect(explanation.steps.map(({ step }) => step)).toEqual(['zone', 'lookup', 'answer']);
    expect(explanation.steps[1]?.text).toBe(want);
    expect(explanation.answer.outcome).toBe(outcome);
    expect(explanation.dataCenters).toEqual([]);
    expect(explanation.client).toEqual({ source: expect.any(String) });
  });

  it('holds for every client', () => {
    expect(explainOver(config, [], { name: 'plain.example.org.', client: GERMAN }).answer).toEqual({
      outcome: 'answer',
      rcode: 'NOERROR',
      tier: 'none',
      records: ['plain.example.org. 300 IN A 192.0.2.99'],
      ttlSeconds: 300,
      scope: '0.0.0.0/0',
    });
  });
});

it('tells the steered name that was answered, not a steered wildcard above the target', () => {
  const owner = { kind: 'api' } as const;
  const target = 'lb.wild.example.org.';
  const name = 'named.example.org.';
  const endpoints = [{ name: 'fra', dataCenter: 'fra', canonicalName: target, weight: 1 }];
  const shared = {
    pool: 'named',
    policy: 'closest',
    ttlSeconds: 30,
    answers: 1,
    allDown: 'fail-open',
  } as const;
  const named = steeredConfig([
    { collection: 'pools', key: 'named', owner, value: { name: 'named', endpoints } },
    { collection: 'steeredNames', key: name, owner, value: { name, ...shared } },
    {
      collection: 'rrsets',
      zone: 'example.org.',
      key: `${target} A`,
      owner,
      value: { name: target, type: 'A', ttlSeconds: 300, records: ['192.0.2.77'] },
    },
  ]);
  const [, lookup] = explainOver(named, [], { name, client: GERMAN }).steps;
  expect(lookup?.text).toBe(`${name} is a steered name, with pool named and policy closest.`);
});

it('tells the scope of an IPv4-mapped client subnet as IPv4', () => {
  const scopeFor = (client: string): string | undefined =>
    explainOver(config, [], { name: 'ruled.example.org.', client }).answer.scope;
  expect(scopeFor('192.0.2.0/25')).toBe('192.0.2.0/25');
  expect(scopeFor('::ffff:192.0.2.0/121')).toBe('192.0.2.0/25');
});

it('is JSON, with the attribution of the geo table', () => {
  const explanation = explainOver(config, [], { name: 'www.example.org.', client: GERMAN });
  expect(explanation.attribution).toBe('Test data, by nobody');
  expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
});
