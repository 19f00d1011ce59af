import { describe, expect, it } from 'vitest';
import { createDecision } from '../../src/answer/decision.ts';
import { count, createCounters, openCounters } from '../../src/observe/counters.ts';
import { DataCenterCounts } from '../../src/observe/data-center-counts.ts';

function setUp() {
  const counters = openCounters(createCounters());
  const names: (string | undefined)[] = ['fra', 'nyc'];
  const counts = new DataCenterCounts(
    () => [counters],
    (index) => names[index],
  );
  const answer = (dataCenter: number, times: number): void => {
    for (let index = 0; index < times; index++)
      count(counters, { ...createDecision(), outcome: 'answer', queryType: 1, dataCenter }, 'udp');
  };
  const told = (): string =>
    counts
      .read()
      .map(({ dataCenter, answers }) => `${dataCenter} ${answers}`)
      .join(', ');
  return { names, counts, answer, told };
}

describe('DataCenterCounts', () => {
  it('counts from the start, also what was answered before it was asked', () => {
    const { answer, told } = setUp();
    answer(0, 4);
    expect(told()).toBe('fra 4, nyc 0');
    answer(1, 2);
    expect(told()).toBe('fra 4, nyc 2');
  });

  it('does not give a new owner of a number what the old one has answered', () => {
    const { names, counts, answer, told } = setUp();
    answer(0, 4);
    counts.follow();
    names[0] = 'ams';
    counts.follow();
    answer(0, 2);
    expect(told()).toBe('ams 2, nyc 0');
    names[0] = 'fra';
    counts.follow();
    expect(told()).toBe('fra 0, nyc 0');
    answer(0, 1);
    expect(told()).toBe('fra 1, nyc 0');
  });

  it('leaves out numbers that nobody has', () => {
    const { names, answer, told } = setUp();
    names.length = 1;
    answer(7, 3);
    expect(told()).toBe('fra 0');
  });
});
