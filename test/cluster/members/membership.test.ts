import { describe, expect, it } from 'vitest';
import type { MemberStatus } from '../../../src/cluster/members/member-status.ts';
import { Membership, type OwnStatus } from '../../../src/cluster/members/membership.ts';
import { WITHDRAWAL_NOTICE_MS } from '../../../src/cluster/members/withdrawal.ts';
import { recordedSession } from './fake-session.ts';

const NOW_MS = 1_767_225_600_000;

const own: OwnStatus = {
  version: '0.2.0',
  region: 'eu',
  role: 'full',
  startedAtMs: NOW_MS,
  generation: 1,
  isReady: true,
  reason: '',
  dns: [],
  certificateExpiresAtMs: NOW_MS + 90 * 86_400_000,
};

const status = (withdrawal: MemberStatus['withdrawal']): unknown => {
  const { certificateExpiresAtMs: _, ...said } = own;
  return { ...said, type: 'status', clockMs: NOW_MS, withdrawal };
};

function scene() {
  let steadyMs = 0;
  let current = own;
  const membership = new Membership({
    self: 'b',
    own: () => current,
    behind: () => ({ documents: 0, sinceMs: undefined }),
    nowMs: () => NOW_MS,
    steadyMs: () => steadyMs,
    onChange: () => undefined,
  });
  const node = { region: 'eu', role: 'full', addresses: [] } as const;
  membership.setNodes([
    { ...node, name: 'a' },
    { ...node, name: 'c' },
    { ...node, name: 'b' },
  ]);
  return {
    membership,
    become: (given: Partial<OwnStatus>) => {
      current = { ...own, ...given };
    },
    pass: (ms: number) => {
      steadyMs += ms;
      membership.tick();
    },
    states: () => membership.members().map(({ name, state }) => `${name} ${state}`),
  };
}

describe('the members of a cluster', () => {
  it('are shown in the order of their names, as this node sees them', () => {
    const { membership, states } = scene();
    expect(states()).toEqual(['a never-seen', 'b up', 'c never-seen']);
    const session = recordedSession('a');
    membership.onUp(session);
    expect(states()).toEqual(['a up', 'b up', 'c never-seen']);
    membership.onDown(session, 'reset');
    expect(states()).toEqual(['a down', 'b up', 'c never-seen']);
  });

  it('hear of this node at once, and again', () => {
    const { membership, pass } = scene();
    const session = recordedSession('a');
    membership.onUp(session);
    pass(2000);
    expect(session.sent).toEqual([status('none'), status('none')]);
  });

  it('an older session that ends does not take a newer one with it', () => {
    const { membership, states } = scene();
    const older = recordedSession('a');
    membership.onUp(older);
    membership.onUp(recordedSession('a'));
    membership.onDown(older, 'replaced');
    expect(states()[0]).toBe('a up');
  });

  it('a node that is not ready steps aside once the others have heard', () => {
    const { membership, become, pass } = scene();
    for (const name of ['a', 'c']) membership.onUp(recordedSession(name));
    become({ isReady: false, reason: 'its store fails' });
    pass(0);
    expect(membership.isAnnounced()).toBe(true);
    pass(WITHDRAWAL_NOTICE_MS);
    expect(membership.isAnnounced()).toBe(false);
    become({});
    pass(0);
    expect(membership.isAnnounced()).toBe(true);
  });

  it('but not when another has, nor when it is cut off', () => {
    const { membership, become, pass } = scene();
    const session = recordedSession('a');
    membership.onUp(session);
    membership.onUp(recordedSession('c'));
    membership.onFrame(session, status('taken'));
    become({ isReady: false });
    pass(0);
    pass(WITHDRAWAL_NOTICE_MS);
    expect(membership.isAnnounced()).toBe(true);
    membership.onFrame(session, status('none'));
    pass(0);
    expect(membership.isAnnounced()).toBe(false);
    membership.onDown(session, 'reset');
    expect(membership.isAnnounced()).toBe(true);
  });

  it('what is no status is refused', () => {
    const { membership } = scene();
    const session = recordedSession('a');
    membership.onUp(session);
    expect(membership.onFrame(session, { type: 'status' })).toBe(false);
  });
});
