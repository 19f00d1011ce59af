import { describe, expect, it } from 'vitest';
import { type ClusterPart, Dispatch, MAX_MALFORMED_FRAMES } from '../../src/cluster/dispatch.ts';
import { encodeFrame } from '../../src/cluster/frame.ts';
import { recordedSession } from './members/fake-session.ts';

function scene() {
  const seen: string[] = [];
  const part = (name: string): ClusterPart => ({
    onUp: ({ peer }) => seen.push(`${name} up ${peer}`),
    onFrame: (_, value) => seen.push(`${name} frame ${JSON.stringify(value)}`),
    onDrain: ({ peer }) => seen.push(`${name} drain ${peer}`),
    onDown: ({ peer }, reason) => seen.push(`${name} down ${peer} ${reason}`),
  });
  const parts = {
    members: part('members'),
    documents: part('documents'),
    blobs: part('blobs'),
    observations: part('observations'),
  };
  const dispatch = new Dispatch(parts);
  return { dispatch, seen };
}

describe('frames of a session', () => {
  it('go to the part of their channel', () => {
    const { dispatch, seen } = scene();
    const session = recordedSession('b');
    dispatch.onUp(session);
    seen.length = 0;
    dispatch.onFrame(session, encodeFrame('documents', { a: 1 }));
    dispatch.onFrame(session, encodeFrame('members', 'x'));
    expect(seen).toEqual(['documents frame {"a":1}', 'members frame "x"']);
  });

  it('of a channel that a newer version has are passed over', () => {
    const { dispatch, seen } = scene();
    const session = recordedSession('b');
    dispatch.onUp(session);
    seen.length = 0;
    dispatch.onFrame(session, Uint8Array.of(200, 1));
    expect([seen, dispatch.counters()]).toEqual([[], { malformedFrames: 0, unknownChannels: 1 }]);
  });

  it('that are garbage end it, once there are many', () => {
    const { dispatch } = scene();
    const closed: string[] = [];
    const session = { ...recordedSession('b'), close: (reason: string) => closed.push(reason) };
    dispatch.onUp(session);
    for (let i = 1; i < MAX_MALFORMED_FRAMES; i++) dispatch.onFrame(session, Uint8Array.of(1, 0xc1));
    expect(closed).toEqual([]);
    dispatch.onFrame(session, Uint8Array.of(1, 0xc1));
    expect(closed).toEqual([`it sent ${MAX_MALFORMED_FRAMES} malformed frames`]);
  });

  it('a session is told to every part, members first', () => {
    const { dispatch, seen } = scene();
    const session = recordedSession('b');
    dispatch.onUp(session);
    dispatch.onDrain(session);
    dispatch.onDown(session, 'reset');
    expect(seen.filter((line) => line.startsWith('members'))).toEqual([
      'members up b',
      'members drain b',
      'members down b reset',
    ]);
    expect([seen[0], seen.length]).toEqual(['members up b', 12]);
  });
});
