import { describe, expect, it } from 'vitest';
import { parseBody } from '../../src/config/contract.ts';
import { didYouMean } from '../../src/config/did-you-mean.ts';
import { formatProblems } from '../../src/config/format-problem.ts';
import { sameValue } from '../../src/config/same-value.ts';
import { contract, web } from './config-fixture.ts';

describe('parseBody', () => {
  const cases: readonly {
    name: string;
    collection: keyof typeof contract.schemas;
    given: unknown;
    want: readonly string[];
  }[] = [
    {
      name: 'says what is missing and what is too much, with a suggestion',
      collection: 'dataCenters',
      given: { name: 'fra', latitude: 91, longitud: 8 },
      want: [
        'x/latitude: "latitude" must be at most 90.',
        'x/longitude: "longitude" is missing.',
        'x/longitud: "longitud" is not a field here. Did you mean "longitude"?',
      ],
    },
    {
      name: 'names list items by their names',
      collection: 'pools',
      given: { ...web, endpoints: [{ ...web.endpoints[0], address: '192.0.2.256' }, { dataCenter: 'fra' }] },
      want: [
        'x/endpoints/fra-1/address: "address" must be an IPv4 or IPv6 address.',
        'x/endpoints/1/name: "name" is missing.',
      ],
    },
    {
      name: 'says which kinds there are',
      collection: 'policies',
      given: { name: 'p', rank: { kind: 'neerest' } },
      want: [
        'x/rank/kind: "kind" must be one of "nearest", "latency", "geo", "failover", "weighted", "order", "policy".',
      ],
    },
    {
      name: 'says that another type was wanted',
      collection: 'monitors',
      given: { name: 'm', kind: 'tcp', rise: '2' },
      want: ['x/rise: "rise" must be a number, not text.'],
    },
    {
      name: 'says what is wrong with a domain name',
      collection: 'steeredNames',
      given: { name: 'www..example.org', pool: 'p', policy: 'q', allDown: 'fallbak' },
      want: [
        'x/name: The name "www..example.org" has an empty label.',
        'x/allDown: "allDown" must be one of "fail-open", "last-known", "fallback", "nodata", "servfail".',
      ],
    },
    {
      name: 'refuses what is no object',
      collection: 'zones',
      given: 'x',
      want: ['x: This must be an object with named fields, not text.'],
    },
  ];
  for (const { name, collection, given, want } of cases) {
    it(name, () => {
      const body = parseBody<unknown>(contract.schemas[collection], given, 'x');
      expect(body.ok ? [] : body.problems.map(({ path, message }) => `${path}: ${message}`)).toEqual(want);
    });
  }

  const names: readonly { given: string; want: string }[] = [
    { given: 'WWW.Example.ORG', want: 'www.example.org.' },
    { given: '\\087ww.example.org.', want: 'www.example.org.' },
    { given: '*.example.org', want: '*.example.org.' },
    { given: '_sip._tcp.example.org', want: '_sip._tcp.example.org.' },
    { given: 'a\\.b.example.org', want: 'a\\.b.example.org.' },
  ];
  for (const { given, want } of names) {
    it(`makes ${given} canonical`, () => {
      const body = { name: given, type: 'type1', ttlSeconds: 1, records: ['192.0.2.1'] };
      expect(contract.rrsetSchema.parse(body)).toMatchObject({ name: want, type: 'A' });
    });
  }

  it('refuses record types that no zone can have', () => {
    for (const type of ['ANY', 'TYPE41', 'NOSUCH', 'TYPE70000']) {
      const body = { name: 'a.example.org', type, ttlSeconds: 1, records: ['x'] };
      expect(contract.rrsetSchema.safeParse(body).success, type).toBe(false);
    }
  });
});

describe('formatProblems', () => {
  it('sorts by file and line, and puts what has no file last', () => {
    const problem = { code: 'c', path: 'pools/web', message: 'It is bad.' };
    expect(
      formatProblems([
        problem,
        { ...problem, source: { file: 'b.yaml', line: 1 } },
        { ...problem, path: '', source: { file: 'a.yaml', line: 12 } },
        { ...problem, source: { file: 'a.yaml', line: 3 } },
      ]),
    ).toBe(
      'a.yaml:3: pools/web: It is bad.\na.yaml:12: It is bad.\nb.yaml:1: pools/web: It is bad.\npools/web: It is bad.',
    );
  });
});

describe('didYouMean', () => {
  const cases: readonly { given: string; known: readonly string[]; want: string }[] = [
    { given: 'polls', known: ['policies', 'pools'], want: 'pools' },
    { given: 'fra', known: ['ams', 'fra1'], want: 'fra1' },
    { given: 'fra', known: ['sin', 'lhr'], want: '' },
    { given: 'a', known: ['b'], want: '' },
  ];
  for (const { given, known, want } of cases) {
    it(`${given} of ${known.join(', ')}: ${want}`, () =>
      expect(didYouMean(given, known)).toBe(want === '' ? '' : ` Did you mean "${want}"?`));
  }
});

describe('sameValue', () => {
  const cases: readonly { a: unknown; b: unknown; want: boolean }[] = [
    { a: { x: 1, y: [1, { z: 2 }] }, b: { y: [1, { z: 2 }], x: 1 }, want: true },
    { a: { x: undefined }, b: {}, want: true },
    { a: { x: null }, b: {}, want: false },
    { a: [1, 2], b: [2, 1], want: false },
    { a: [], b: {}, want: false },
    { a: { x: 1 }, b: { y: 1 }, want: false },
  ];
  for (const { a, b, want } of cases) {
    it(`${JSON.stringify(a)} and ${JSON.stringify(b)}: ${want}`, () => expect(sameValue(a, b)).toBe(want));
  }
});
