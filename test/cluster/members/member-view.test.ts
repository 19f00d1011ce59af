import { describe, expect, it } from 'vitest';
import { memberProblems } from '../../../src/cluster/members/member-problems.ts';
import { type MemberStatus, parseMemberStatus } from '../../../src/cluster/members/member-status.ts';
import { type PeerSight, peerMember } from '../../../src/cluster/members/member-view.ts';

const NOW_MS = 1_767_225_600_000;
const DAY_MS = 86_400_000;

const status: MemberStatus = {
  type: 'status',
  version: '0.2.0',
  region: 'eu',
  role: 'full',
  startedAtMs: NOW_MS - 1000,
  clockMs: NOW_MS,
  generation: 7,
  isReady: true,
  reason: '',
  dns: ['192.0.2.1:53'],
  withdrawal: 'none',
};

const node = { name: 'b', region: 'eu', role: 'full', addresses: ['192.0.2.1:7946'] } as const;

const sight: PeerSight = {
  isConnected: true,
  sinceMs: NOW_MS - 5000,
  downReason: '',
  roundTripMs: 20,
  certificateExpiresAtMs: NOW_MS + 60 * DAY_MS,
  behind: { documents: 0, sinceMs: undefined },
  status: { value: status, arrivedAtMs: NOW_MS },
};

const problemsOf = (given: Partial<PeerSight>): readonly string[] =>
  memberProblems([peerMember(node, { ...sight, ...given })]).map(
    ({ code, message }) => `${code}: ${message.split('.')[0]}`,
  );

describe('a member', () => {
  it('that is well has no problem', () => {
    expect(problemsOf({})).toEqual([]);
  });

  it('tells no longer what it said when it cannot be reached', () => {
    const down = peerMember(node, { ...sight, isConnected: false, downReason: 'no heartbeat for 5 s' });
    expect([down.state, down.version, down.isServing, down.roundTripMs]).toEqual([
      'down',
      undefined,
      undefined,
      undefined,
    ]);
  });

  const cases: readonly { readonly given: Partial<PeerSight>; readonly want: string }[] = [
    {
      given: { isConnected: false, downReason: 'no heartbeat for 5 s' },
      want: 'peer-unreachable: The node b cannot be reached (no heartbeat for 5 s)',
    },
    {
      given: { isConnected: false, sinceMs: undefined },
      want: 'peer-unreachable: The node b has not been reached since this node started',
    },
    {
      given: { status: { value: { ...status, clockMs: NOW_MS - 3 * DAY_MS }, arrivedAtMs: NOW_MS } },
      want: "clock-differs: The clock of the node b is 259200 s behind this node's",
    },
  ];
  for (const { given, want } of cases) it(want, () => expect(problemsOf(given)).toEqual([want]));
});

describe('parseMemberStatus', () => {
  it('takes what a later version adds', () => {
    expect(parseMemberStatus({ ...status, load: 3 })).toEqual({ ok: true, value: status });
  });

  for (const given of [
    undefined,
    7,
    {},
    { ...status, clockMs: Number.NaN },
    { ...status, version: 'v'.repeat(257) },
    { ...status, dns: new Array(65).fill('x') },
  ])
    it(`refuses ${JSON.stringify(given)?.slice(0, 60)}`, () =>
      expect(parseMemberStatus(given).ok).toBe(false));
});
