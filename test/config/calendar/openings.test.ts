import { describe, expect, it } from 'vitest';
import { cronOpenings } from '../../../src/config/calendar/openings.ts';

/** The next openings after a moment, as UTC without seconds. */
function openingsAfter(cron: string, timeZone: string, from: string, count: number): readonly string[] {
  const openings = cronOpenings(cron, timeZone);
  let ms = Date.parse(from);
  return Array.from({ length: count }, () => {
    ms = openings?.after(ms) ?? Number.NaN;
    return Number.isNaN(ms) ? 'never' : new Date(ms).toISOString().slice(0, 16);
  });
}

const cases = [
  // Berlin: 2026-03-29 02:00 becomes 03:00 (01:00 UTC), 2026-10-25 03:00 becomes 02:00 (01:00 UTC).
  {
    name: 'Berlin in spring: 02:30 does not exist, and opens at 03:00',
    given: ['30 2 * * *', 'Europe/Berlin', '2026-03-27T12:00Z'],
    want: ['2026-03-28T01:30', '2026-03-29T01:00', '2026-03-30T00:30'],
  },
  {
    name: 'Berlin in spring: 02:00 is the first minute that is missing',
    given: ['0 2 * * *', 'Europe/Berlin', '2026-03-28T12:00Z'],
    want: ['2026-03-29T01:00', '2026-03-30T00:00'],
  },
  {
    name: 'Berlin in spring: two times in the gap and the one after it are one opening',
    given: ['0,30 2,3 * * 0', 'Europe/Berlin', '2026-03-28T12:00Z'],
    want: ['2026-03-29T01:00', '2026-03-29T01:30', '2026-04-05T00:00'],
  },
  {
    name: 'Berlin in autumn: 02:30 is there twice, and opens the first time',
    given: ['30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00Z'],
    want: ['2026-10-25T00:30', '2026-10-26T01:30'],
  },
  {
    name: 'Berlin in autumn: 03:00 is there once, after both',
    given: ['0 3 * * *', 'Europe/Berlin', '2026-10-24T12:00Z'],
    want: ['2026-10-25T02:00', '2026-10-26T02:00'],
  },
  // New York: 2026-03-08 02:00 becomes 03:00 (07:00 UTC), 2026-11-01 02:00 becomes 01:00 (06:00 UTC).
  {
    name: 'New York in spring',
    given: ['30 2 * * *', 'America/New_York', '2026-03-07T12:00Z'],
    want: ['2026-03-08T07:00', '2026-03-09T06:30'],
  },
  {
    name: 'New York in autumn: 01:30 is there twice',
    given: ['30 1 * * *', 'America/New_York', '2026-10-31T12:00Z'],
    want: ['2026-11-01T05:30', '2026-11-02T06:30'],
  },
  {
    name: 'New York in autumn: 02:30 is not',
    given: ['30 2 * * *', 'America/New_York', '2026-10-31T12:00Z'],
    want: ['2026-11-01T07:30', '2026-11-02T07:30'],
  },
  // Lord Howe moves by half an hour: 2026-10-04 02:00 becomes 02:30 (15:30 UTC of the 3rd), 2026-04-05 02:00 becomes 01:30.
  {
    name: 'Lord Howe in spring: 02:15 does not exist',
    given: ['15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z'],
    want: ['2026-10-03T15:30', '2026-10-04T15:15'],
  },
  {
    name: 'Lord Howe in spring: 02:30 does',
    given: ['30 2 * * *', 'Australia/Lord_Howe', '2026-10-03T12:00Z'],
    want: ['2026-10-03T15:30', '2026-10-04T15:30'],
  },
  {
    name: 'Lord Howe in autumn: 01:45 is there twice',
    given: ['45 1 * * *', 'Australia/Lord_Howe', '2026-04-04T12:00Z'],
    want: ['2026-04-04T14:45', '2026-04-05T15:15'],
  },
  {
    name: 'Lord Howe in autumn: 02:30 is there once',
    given: ['30 2 * * *', 'Australia/Lord_Howe', '2026-04-04T12:00Z'],
    want: ['2026-04-04T16:00', '2026-04-05T16:00'],
  },
  {
    name: 'every hour goes by the hours that pass: none is missing in spring',
    given: ['30 * * * *', 'Europe/Berlin', '2026-03-29T00:00Z'],
    want: ['2026-03-29T00:30', '2026-03-29T01:30', '2026-03-29T02:30'],
  },
  {
    name: 'and none comes twice in autumn',
    given: ['30 * * * *', 'Europe/Berlin', '2026-10-25T00:00Z'],
    want: ['2026-10-25T00:30', '2026-10-25T01:30', '2026-10-25T02:30'],
  },
  {
    name: 'a day that a zone left out opens when the next begins',
    given: ['0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00Z'],
    want: ['2011-12-30T10:00', '2012-12-29T22:00'],
  },
  {
    name: 'clocks that go back at midnight: 23:30 is there twice',
    given: ['30 23 * * *', 'Asia/Beirut', '2026-10-24T00:00Z'],
    want: ['2026-10-24T20:30', '2026-10-25T21:30'],
  },
  {
    name: 'a leap day, over a year that has none though it is the fourth',
    given: ['0 0 29 2 *', 'UTC', '2096-03-01T00:00Z'],
    want: ['2104-02-29T00:00'],
  },
  {
    name: 'both fields of the day have to match: the first Sunday',
    given: ['0 2 1-7 * 0', 'UTC', '2026-01-01T00:00Z'],
    want: ['2026-01-04T02:00', '2026-02-01T02:00'],
  },
  {
    name: 'the last Sunday, the second Saturday, the last working day',
    given: ['0 2 * * 0L', 'UTC', '2026-01-01T00:00Z'],
    want: ['2026-01-25T02:00', '2026-02-22T02:00'],
  },
  {
    name: 'the second Saturday',
    given: ['0 2 * * 6#2', 'UTC', '2026-01-01T00:00Z'],
    want: ['2026-01-10T02:00', '2026-02-14T02:00'],
  },
  {
    name: 'an opening is not after itself',
    given: ['0 2 * * *', 'UTC', '2026-01-01T02:00Z'],
    want: ['2026-01-02T02:00'],
  },
  {
    name: 'a day that never comes',
    given: ['0 0 31 2,4 *', 'UTC', '2026-01-01T00:00Z'],
    want: ['never'],
  },
] as const;

it.each(cases)('$name', ({ given: [cron, zone, from], want }) => {
  expect(openingsAfter(cron, zone, from, want.length)).toEqual(want);
});

describe('the last opening', () => {
  const last = (cron: string, zone: string, at: string, earliest: string): string => {
    const ms = cronOpenings(cron, zone)?.lastAt(Date.parse(at), Date.parse(earliest));
    return ms === undefined ? 'none' : new Date(ms).toISOString().slice(0, 16);
  };

  it.each([
    ['is one at the moment itself', '2026-03-29T01:00Z', '2026-03-29T00:00Z', '2026-03-29T01:00'],
    ['is not one a moment later', '2026-03-29T00:59Z', '2026-03-28T12:00Z', 'none'],
    ['may be of days before', '2026-04-03T00:00Z', '2026-04-01T00:00Z', '2026-04-02T00:30'],
    ['is none that is too early', '2026-03-29T03:00Z', '2026-03-29T01:01Z', 'none'],
  ])('%s', (_, at, earliest, want) => {
    expect(last('30 2 * * *', 'Europe/Berlin', at, earliest)).toBe(want);
  });
});
