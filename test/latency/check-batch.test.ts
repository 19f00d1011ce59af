import { describe, expect, it } from 'vitest';
import { formatAddress, parseAddress } from '../../src/dns/address.ts';
import { checkBatch, parseCsvBatch } from '../../src/latency/check-batch.ts';
import { MAX_BATCH_MEASUREMENTS } from '../../src/latency/limits.ts';

const NOW = 1_767_268_800_000;
const seconds = NOW / 1000;

/** One line per measurement, or the problems. */
function read(csv: string, sender = '192.0.2.9'): readonly string[] {
  const lines = parseCsvBatch(csv);
  const hasDataCenter = (name: string): boolean => ['fra', 'sin'].includes(name);
  const batch = lines.ok
    ? checkBatch(lines.value, { nowMs: NOW, hasDataCenter, sender: parseAddress(sender) })
    : lines;
  if (!batch.ok) return batch.problems.map(({ message }) => message);
  return batch.value.map(
    ({ client, dataCenter, milliseconds, atMs }) =>
      `${formatAddress(client.octets)} ${dataCenter} ${milliseconds} ${(atMs - NOW) / 1000}`,
  );
}

describe('a batch in CSV', () => {
  const cases: readonly { readonly name: string; readonly csv: string; readonly want: readonly string[] }[] =
    [
      { name: 'one line', csv: '192.0.2.1,fra,12.5', want: ['192.0.2.1 fra 12.5 0'] },
      {
        name: 'names of columns, spaces, and both ends of lines',
        csv: `client,dataCenter,milliseconds,atSeconds\r\n2001:db8::1, sin ,200,${seconds - 60}\n192.0.2.1,fra,12.5,\n`,
        want: ['2001:db8::1 sin 200 -60', '192.0.2.1 fra 12.5 0'],
      },
      { name: 'an IPv4 address in IPv6', csv: '::ffff:192.0.2.1,fra,1', want: ['192.0.2.1 fra 1 0'] },
      { name: 'the sender', csv: 'self,fra,1', want: ['192.0.2.9 fra 1 0'] },
      { name: 'nothing', csv: '', want: ['measurements must hold at least one measurement.'] },
      {
        name: 'all mistakes of all lines',
        csv: `192.0.2.300,xxx,0.05,${seconds - 86_401}\n192.0.2.1,fra,1\nself,fra,1e3,${seconds + 61}`,
        want: [
          'line 1/client "192.0.2.300" is neither an address nor self.',
          'line 1/dataCenter there is no data center "xxx".',
          'line 1/milliseconds must be a number from 0.1 to 10000.',
          'line 1/atSeconds must be seconds since 1970, within the last 24 hours and not in the future.',
          'line 3/milliseconds must be a number from 0.1 to 10000.',
          'line 3/atSeconds must be seconds since 1970, within the last 24 hours and not in the future.',
        ],
      },
      {
        name: 'another shape',
        csv: '192.0.2.1,fra\n\n192.0.2.1,fra,1,2,3',
        want: [2, 1, 5].map(
          (count, at) =>
            `line ${at + 1} has ${count} values; client,dataCenter,milliseconds[,atSeconds] are wanted.`,
        ),
      },
      {
        name: 'columns in another order',
        csv: 'client,milliseconds,dataCenter\n192.0.2.1,fra,1',
        want: ['line 1 must be client,dataCenter,milliseconds[,atSeconds].'],
      },
      {
        name: 'a long text is not told back whole',
        csv: `${'x'.repeat(1000)},fra,1`,
        want: [`line 1/client "${'x'.repeat(60)}…" is neither an address nor self.`],
      },
    ];
  it.each(cases)('$name', ({ csv, want }) => {
    expect(read(csv)).toEqual(want);
  });

  it('does not know the sender where none is named', () => {
    expect(read('self,fra,1', '')).toEqual([
      'line 1/client self is not known: the request lacks the header that names its sender.',
    ]);
  });

  it('has a largest size', () => {
    const line = '192.0.2.1,fra,1\n';
    expect(read(line.repeat(MAX_BATCH_MEASUREMENTS))).toHaveLength(MAX_BATCH_MEASUREMENTS);
    const many = [`measurements must hold at most ${MAX_BATCH_MEASUREMENTS} measurements.`];
    expect(read(line.repeat(MAX_BATCH_MEASUREMENTS + 1))).toEqual(many);
    expect(read(line.repeat(MAX_BATCH_MEASUREMENTS * 2))).toEqual(many);
  });
});
