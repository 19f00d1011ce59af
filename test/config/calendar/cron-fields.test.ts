import fc from 'fast-check';
import { createTask } from 'node-cron';
import { expect, it } from 'vitest';
import { matchesDay, parseCron } from '../../../src/config/calendar/cron-fields.ts';

const refusals = [
  ['* * * *', 'must have five fields (minute, hour, day of month, month, day of week), and has 4'],
  ['0 0 2 * * *', 'must have five fields (minute, hour, day of month, month, day of week), and has 6'],
  ['@monthly', 'must have five fields (minute, hour, day of month, month, day of week), and has 1'],
  ['61 2 * * *', 'has "61" for the minute, which is not valid there'],
  ['0 2 * january *', 'valid'],
  ['0 2 * februar *', 'has "februar" for the month, which is not valid there'],
  ['0 2 * jänner *', 'has characters that no field may have'],
  [
    '*/0 24 * * *',
    'has "*/0" for the minute, which is not valid there; has "24" for the hour, which is not valid there',
  ],
  // These would be written out number by number before they are found to be too large.
  ['1-99999999 * * * *', 'has "1-99999999" for the minute, which is not valid there'],
  ['0 2 * 1-12,5-4000000000 *', 'has "1-12,5-4000000000" for the month, which is not valid there'],
  [`${'0-59,'.repeat(50)}1 * * * *`, 'must have at most 200 characters'],
  ['30 2 31 2 *', 'has 31 for the day of month, which none of its months has'],
] as const;

it.each(refusals)('refuses %s', (text, want) => {
  const cron = parseCron(text);
  expect(cron.ok ? 'valid' : cron.faults.join('; ')).toBe(want);
});

it('says whether a window opens in every hour', () => {
  const every = ['* * * * *', '0 */1 * * *', '0 0-23 * * *', '0 0-22 * * *'].map((text) => {
    const cron = parseCron(text);
    return cron.ok && cron.fields.everyHour;
  });
  expect(every).toEqual([true, true, true, false]);
});

const dayOfMonth = fc.constantFrom(
  '*',
  '1',
  '31',
  '1-7',
  'L',
  'L-2',
  '15W',
  '1W',
  '31W',
  'LW',
  '*/5',
  '29,30',
);
const month = fc.constantFrom('*', '1', 'feb', '2-4', 'jan,dec', '*/3');
const dayOfWeek = fc.constantFrom('*', '0', '7', 'sun', 'mon-fri', '5L', '7L', '6#2', '1#5', '0,3');
const day = fc.integer({ min: 0, max: 40_000 });

it('means the same days as node-cron does', () => {
  fc.assert(
    fc.property(dayOfMonth, month, dayOfWeek, day, (dom, mon, dow, epochDay) => {
      const text = `0 0 ${dom} ${mon} ${dow}`;
      const cron = parseCron(text);
      if (!cron.ok) return;
      const date = new Date(epochDay * 86_400_000);
      const task = createTask(text, () => undefined, { timezone: 'UTC' });
      const want = task.match(date);
      void task.destroy();
      const own = matchesDay(cron.fields, date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate());
      expect(own, `${text} on ${date.toISOString()}`).toBe(want);
    }),
    { numRuns: 2000 },
  );
});
