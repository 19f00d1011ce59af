import { describe, expect, it } from 'vitest';
import { createDecision, type Decision } from '../../src/answer/decision.ts';
import {
  count,
  countOne,
  createCounters,
  openCounters,
  readCounter,
  readCounters,
  setOpenConnections,
} from '../../src/observe/counters.ts';

const blocks = [
  'udpQueries',
  'tcpQueries',
  'responses',
  'outcomes',
  'dataCenters',
  'truncated',
  'drops',
  'udpSends',
  'samples',
  'queryLog',
  'dnstap',
  'protection',
  'errors',
  'tcpConnections',
  'tcpEvents',
  'worker',
] as const;

/** Every cell that is not zero, as text. */
function seen(...workers: readonly Float64Array[]): string {
  return blocks
    .flatMap((block) =>
      readCounters(workers, block)
        .filter(({ value }) => value !== 0)
        .map(({ label, value }) => `${block} ${label} ${value}`),
    )
    .join(', ');
}

const cases: readonly {
  name: string;
  given: Partial<Decision>;
  transport: 'udp' | 'tcp';
  want: string;
}[] = [
  {
    name: 'a static answer',
    given: { outcome: 'answer', queryType: 1 },
    transport: 'udp',
    want: 'udpQueries A 1, responses NOERROR 1, outcomes answer 1',
  },
  {
    name: 'a steered answer over TCP',
    given: { outcome: 'answer', queryType: 28, dataCenter: 255 },
    transport: 'tcp',
    want: 'tcpQueries AAAA 1, responses NOERROR 1, outcomes answer 1, dataCenters 255 1',
  },
  {
    name: 'a truncated answer from data center 0',
    given: { outcome: 'answer', queryType: 16, dataCenter: 0, truncated: true },
    transport: 'udp',
    want: 'udpQueries TXT 1, responses NOERROR 1, outcomes answer 1, dataCenters 0 1, truncated udp 1',
  },
  {
    name: 'NXDOMAIN for the largest type with a name',
    given: { outcome: 'nxdomain', rcode: 3, queryType: 257 },
    transport: 'udp',
    want: 'udpQueries CAA 1, responses NXDOMAIN 1, outcomes nxdomain 1',
  },
  {
    name: 'a type without a cell of its own',
    given: { outcome: 'nodata', queryType: 65_280 },
    transport: 'udp',
    want: 'udpQueries other 1, responses NOERROR 1, outcomes nodata 1',
  },
  {
    name: 'an extended code',
    given: { outcome: 'badvers', rcode: 16, queryType: 1 },
    transport: 'udp',
    want: 'udpQueries A 1, responses BADVERS 1, outcomes badvers 1',
  },
  {
    name: 'a code beyond the table',
    given: { outcome: 'servfail', rcode: 4095, queryType: 1 },
    transport: 'udp',
    want: 'udpQueries A 1, responses other 1, outcomes servfail 1',
  },
  {
    name: 'what is not answered',
    given: { outcome: 'dropped' },
    transport: 'udp',
    want: 'outcomes dropped 1, drops unanswerable 1',
  },
  {
    name: 'a query of a denied sender',
    given: { outcome: 'dropped', access: 'denied' },
    transport: 'udp',
    want: 'outcomes dropped 1, protection denied 1',
  },
  {
    name: 'one that is refused',
    given: { outcome: 'refused', rcode: 5, queryType: 1, access: 'denied' },
    transport: 'udp',
    want: 'udpQueries A 1, responses REFUSED 1, outcomes refused 1, protection denied 1',
  },
  {
    name: 'what a limit dropped',
    given: { outcome: 'dropped', queryType: 1, limited: 'drop' },
    transport: 'udp',
    want: 'udpQueries A 1, outcomes dropped 1, protection limited-dropped 1',
  },
  {
    name: 'what slipped, with a bad cookie',
    given: { outcome: 'badcookie', rcode: 23, queryType: 1, limited: 'slip', cookie: 'bad' },
    transport: 'udp',
    want: 'udpQueries A 1, responses BADCOOKIE 1, outcomes badcookie 1, protection cookie-bad 1, protection limited-slipped 1',
  },
  {
    name: 'a valid cookie',
    given: { outcome: 'cookie', queryType: 0, cookie: 'valid' },
    transport: 'tcp',
    want: 'tcpQueries other 1, responses NOERROR 1, outcomes cookie 1, protection cookie-valid 1',
  },
];

describe('count', () => {
  it.each(cases)('$name', ({ given, transport, want }) => {
    const counters = openCounters(createCounters());
    count(counters, { ...createDecision(), ...given }, transport);
    expect(seen(counters)).toBe(want);
  });

  it('adds up over workers, and over openings of the same memory', () => {
    const memory = createCounters();
    const decision = { ...createDecision(), outcome: 'answer', queryType: 1 } as const;
    count(openCounters(memory), decision, 'udp');
    count(openCounters(memory), decision, 'udp');
    const other = openCounters(createCounters());
    count(other, decision, 'udp');
    expect(readCounter([openCounters(memory), other], 'udpQueries', 'A')).toBe(3);
  });

  it('has a cell of its own for every label', () => {
    const counters = openCounters(createCounters());
    for (const block of blocks)
      for (const { label } of readCounters([counters], block)) countOne(counters, block, label);
    expect([...counters].every((value) => value === 1)).toBe(true);
  });

  it('lets open connections go down', () => {
    const counters = openCounters(createCounters());
    setOpenConnections(counters, 7);
    setOpenConnections(counters, 2);
    expect(seen(counters)).toBe('tcpConnections open 2');
  });
});
