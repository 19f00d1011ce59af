import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createBoard } from '../../../src/health/board/board.ts';
import { DEFAULT_POOL_RULES, probedCheck } from '../../../src/health/board/board-endpoint.ts';
import { bootVerdicts } from '../../../src/node/boot/boot-verdicts.ts';
import {
  type KeptEndpoint,
  type KeptVerdicts,
  readVerdicts,
  rememberedVerdicts,
  writeVerdicts,
} from '../../../src/node/boot/verdict-file.ts';
import { temporaryDirectory } from '../../e2e/node-process.ts';

const NOW_MS = Date.UTC(2026, 0, 2);
const MINUTE_MS = 60_000;

const up: KeptEndpoint = {
  key: 'web/fra',
  target: '192.0.2.1 ',
  monitored: true,
  probed: 'up',
  sinceMs: NOW_MS - MINUTE_MS,
  lastKnownUp: true,
  unknown: 'last-resort',
  held: false,
  override: undefined,
  leave: undefined,
};

const WORDS = ['unknown', 'up', 'down', 'drained'];

function wordOf(octet: number | undefined): string {
  return octet === undefined ? 'none' : `${WORDS[octet & 3]}${octet & 4 ? ', last known up' : ''}`;
}

describe('the verdict table of a node that has just started', () => {
  const cases: readonly {
    readonly name: string;
    readonly given: Partial<KeptEndpoint>;
    readonly ageMs?: number;
    readonly want: string;
  }[] = [
    { name: 'what was up a minute ago', given: {}, want: 'up, last known up' },
    {
      name: 'what was never probed, of a pool that serves it all the same',
      given: { probed: 'unknown', lastKnownUp: false, unknown: 'serve' },
      want: 'up',
    },
    {
      name: 'what was never probed, of a pool that withholds it',
      given: { probed: 'unknown', lastKnownUp: false, unknown: 'withhold' },
      want: 'down',
    },
    {
      name: 'what was down and held by a guard rail',
      given: { probed: 'down', held: true },
      want: 'up, last known up',
    },
    { name: 'what was down', given: { probed: 'down', lastKnownUp: false }, want: 'down' },
    { name: 'what was down and up last', given: { probed: 'down' }, want: 'down, last known up' },
    { name: 'what was never probed', given: { probed: 'unknown', lastKnownUp: false }, want: 'unknown' },
    { name: 'what was up long ago', given: {}, ageMs: 61 * MINUTE_MS, want: 'unknown, last known up' },
    { name: 'what was seen in the future', given: {}, ageMs: -MINUTE_MS, want: 'unknown, last known up' },
    {
      name: 'what nothing checks, long ago',
      given: { monitored: false },
      ageMs: 61 * MINUTE_MS,
      want: 'up, last known up',
    },
    {
      name: 'what is drained until further notice, long ago',
      given: { override: { state: 'drain', expiresAtMs: null } },
      ageMs: 61 * MINUTE_MS,
      want: 'drained, last known up',
    },
    {
      name: 'what was forced down for an hour to come',
      given: { override: { state: 'down', expiresAtMs: NOW_MS + 60 * MINUTE_MS } },
      want: 'down, last known up',
    },
    {
      name: 'what was forced down until a moment ago',
      given: { override: { state: 'down', expiresAtMs: NOW_MS } },
      want: 'up, last known up',
    },
  ];
  it.each(cases)('has $name as: $want', ({ given, ageMs = MINUTE_MS, want }) => {
    const kept: KeptVerdicts = { savedAtMs: NOW_MS - ageMs, endpoints: [{ ...up, ...given }] };
    expect(wordOf(bootVerdicts(kept, [null, 'web/fra'], NOW_MS)[1])).toBe(want);
  });

  it('has nothing of an endpoint of which nothing was kept', () => {
    const kept: KeptVerdicts = { savedAtMs: NOW_MS, endpoints: [up] };
    expect([...bootVerdicts(kept, ['web/syd', null, 'web/fra'], NOW_MS).subarray(0, 3)].map(wordOf)).toEqual([
      'unknown',
      'unknown',
      'up, last known up',
    ]);
  });
});

describe('the file of verdicts', () => {
  it('keeps what the board says, marks and all', () => {
    const data = temporaryDirectory();
    try {
      const path = join(data.path, 'verdicts.json');
      const board = createBoard(
        [
          {
            key: 'web/fra',
            verdict: 'down',
            target: '192.0.2.1 ',
            sinceMs: NOW_MS,
            lastKnownUp: true,
            knownAtMs: NOW_MS,
          },
        ],
        [],
      );
      board.setEndpoints(
        [
          {
            key: 'web/fra',
            slot: 0,
            pool: 'web',
            endpoint: 'fra',
            dataCenter: 'fra',
            address: '192.0.2.1',
            probeAddress: undefined,
            monitor: 'web',
            check: probedCheck('web/fra', '192.0.2.1', { rise: 2, fall: 2, expiryMs: 10_000 }),
            poolRules: DEFAULT_POOL_RULES,
          },
        ],
        NOW_MS,
      );
      writeVerdicts(path, board.health(), NOW_MS);
      const kept = readVerdicts(path);
      expect(kept.endpoints).toEqual([{ ...up, probed: 'down', sinceMs: NOW_MS }]);
      expect(rememberedVerdicts(kept, NOW_MS + MINUTE_MS)).toEqual([
        {
          key: 'web/fra',
          verdict: 'down',
          target: '192.0.2.1 ',
          sinceMs: NOW_MS,
          lastKnownUp: true,
          knownAtMs: NOW_MS,
        },
      ]);
      expect(rememberedVerdicts(kept, NOW_MS + 61 * MINUTE_MS)).toEqual([]);
    } finally {
      data.remove();
    }
  });

  const damaged: readonly { readonly name: string; readonly given: string }[] = [
    { name: 'nothing', given: '' },
    { name: 'no JSON', given: '{"savedAtMs":' },
    { name: 'null', given: 'null' },
    { name: 'another shape', given: '{"savedAtMs":"now","verdicts":[]}' },
    { name: 'strange endpoints', given: '{"savedAtMs":1,"endpoints":[null,1,{"key":"web/fra"}]}' },
  ];
  it.each(damaged)('with $name in it says nothing', ({ given }) => {
    const data = temporaryDirectory();
    try {
      const path = join(data.path, 'verdicts.json');
      writeFileSync(path, given);
      expect(readVerdicts(path).endpoints).toEqual([]);
    } finally {
      data.remove();
    }
  });
});
