import { describe, expect, it } from 'vitest';
import { decideGroup, type GroupFigures, HOLD_MS } from '../../src/latency/decide-group.ts';
import { addSample, type Sketch, SLOT_MS, slotOf } from '../../src/latency/sketch.ts';

/** 2026-01-01T12:00:00Z, at the start of a slot. */
const NOW = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

/** So many samples of so many milliseconds, spread evenly over minutes before now. */
interface Run {
  readonly count: number;
  readonly ms: number;
  readonly fromMinutes?: number;
  readonly toMinutes?: number;
}

function sketch(...runs: readonly Run[]): Sketch {
  const cells: Sketch = [];
  for (const { count, ms, fromMinutes = 20, toMinutes = 0 } of runs)
    for (let at = 0; at < count; at += 1) {
      const minutes = fromMinutes - ((fromMinutes - toMinutes) * at) / Math.max(1, count - 1);
      addSample(cells, slotOf(NOW - minutes * MINUTE), ms);
    }
  return cells;
}

const enough = (ms: number): Sketch => sketch({ count: 40, ms });

function figures(milliseconds: Readonly<Record<string, number>>, agoMs = 2 * HOLD_MS): GroupFigures {
  return { milliseconds: new Map(Object.entries(milliseconds)), sinceMs: NOW - agoMs };
}

/** `kind/why` and what steers, rounded. */
function told(
  sketches: Readonly<Record<string, Sketch>>,
  before?: GroupFigures,
  group = '192.0.2.0/24',
): string {
  const { outcome } = decideGroup(group, new Map(Object.entries(sketches)), before, NOW);
  if (outcome.kind === 'distance') return `distance: ${outcome.why}`;
  const steers = Array.from(outcome.figures.milliseconds, ([name, ms]) => `${name} ${Math.round(ms)}`);
  return `${outcome.why}: ${steers.join(', ')}`;
}

describe('whether a group steers', () => {
  const cases: readonly {
    readonly name: string;
    readonly sketches: Readonly<Record<string, Sketch>>;
    readonly before?: GroupFigures;
    readonly want: string;
  }[] = [
    { name: 'nothing is known', sketches: {}, want: 'distance: nothing-counts' },
    {
      name: 'two have enough',
      sketches: { ams: enough(20), fra: enough(10) },
      want: 'new: ams 20, fra 10',
    },
    {
      name: 'one has nobody to be compared with',
      sketches: { fra: enough(10) },
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'nineteen are too few',
      sketches: { ams: enough(20), fra: sketch({ count: 19, ms: 10 }) },
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'twenty are enough',
      sketches: { ams: enough(20), fra: sketch({ count: 20, ms: 10 }) },
      want: 'new: ams 20, fra 10',
    },
    {
      name: 'a burst of one moment is still warming up',
      sketches: { ams: enough(20), fra: sketch({ count: 400, ms: 10, fromMinutes: 0 }) },
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'enough, but of four hours ago',
      sketches: { ams: enough(20), fra: sketch({ count: 40, ms: 10, fromMinutes: 260, toMinutes: 240 }) },
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'those of four hours ago still keep what steers',
      sketches: { ams: enough(20), fra: sketch({ count: 40, ms: 10, fromMinutes: 260, toMinutes: 240 }) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'steady: ams 20, fra 10',
    },
    {
      name: 'but those of seven hours ago do not',
      sketches: { ams: enough(20), fra: sketch({ count: 40, ms: 10, fromMinutes: 440, toMinutes: 420 }) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'thousands of yesterday count as nothing',
      sketches: { ams: enough(20), fra: sketch({ count: 9000, ms: 10, fromMinutes: 1600, toMinutes: 1450 }) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'distance: nothing-to-compare',
    },
    {
      name: 'fresh samples outweigh more that are old',
      sketches: {
        ams: enough(20),
        fra: sketch({ count: 60, ms: 90, fromMinutes: 320, toMinutes: 300 }, { count: 20, ms: 10 }),
      },
      want: 'new: ams 20, fra 10',
    },
    {
      name: 'a median is not moved by few that are far off',
      sketches: { ams: enough(20), fra: sketch({ count: 40, ms: 10 }, { count: 15, ms: 3000 }) },
      want: 'new: ams 20, fra 10',
    },
    {
      name: 'a small change is none',
      sketches: { ams: enough(20), fra: enough(24) },
      before: figures({ ams: 20, fra: 20 }),
      want: 'steady: ams 20, fra 20',
    },
    {
      name: 'five milliseconds of hundreds are none either',
      sketches: { ams: enough(200), fra: enough(215) },
      before: figures({ ams: 200, fra: 200 }),
      want: 'steady: ams 200, fra 200',
    },
    {
      name: 'all of them slower alike is no change',
      sketches: { ams: enough(60), fra: enough(50) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'steady: ams 20, fra 10',
    },
    {
      name: 'a change counts',
      sketches: { ams: enough(20), fra: enough(30) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'changed: ams 20, fra 30',
    },
    {
      name: 'but not while the figures before are young',
      sketches: { ams: enough(20), fra: enough(30) },
      before: figures({ ams: 20, fra: 10 }, HOLD_MS - 1),
      want: 'held: ams 20, fra 10',
    },
    {
      name: 'another one joins',
      sketches: { ams: enough(20), fra: enough(10), lon: enough(30) },
      before: figures({ ams: 20, fra: 10 }),
      want: 'gained-one: ams 20, fra 10, lon 30',
    },
    {
      name: 'one that is no longer known leaves at once',
      sketches: { ams: enough(20), fra: enough(10), lon: [] },
      before: figures({ ams: 20, fra: 10, lon: 30 }, 0),
      want: 'lost-one: ams 20, fra 10',
    },
  ];
  it.each(cases)('$name', ({ sketches, before, want }) => {
    expect(told(sketches, before)).toBe(want);
  });
});

it('expires by time alone', () => {
  const sketches = new Map([
    ['ams', enough(20)],
    ['fra', enough(10)],
  ]);
  let before: GroupFigures | undefined;
  const hours: number[] = [];
  for (let hour = 0; hour < 30; hour += 1) {
    const { outcome } = decideGroup('192.0.2.0/24', sketches, before, NOW + hour * 12 * SLOT_MS);
    before = outcome.kind === 'measured' ? outcome.figures : undefined;
    if (before !== undefined) hours.push(hour);
  }
  // Forty samples weigh one after a bit more than five hours.
  expect(hours).toEqual([0, 1, 2, 3, 4, 5]);
});

it('asks more of groups that speak for many', () => {
  const of = (count: number, group: string): string =>
    told({ ams: sketch({ count, ms: 20 }), fra: sketch({ count, ms: 10 }) }, undefined, group);
  for (const group of ['AS64500', 'DE']) {
    expect(of(99, group)).toBe('distance: nothing-counts');
    expect(of(100, group)).toBe('new: ams 20, fra 10');
  }
});
