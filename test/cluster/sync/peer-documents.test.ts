import { describe, expect, it } from 'vitest';
import {
  MAX_GRACE_MS,
  MAX_PULLS,
  MAX_ROOT_HOLD_MS,
  MAX_UNDER_WAY,
  PeerDocuments,
  RELAY_GRACE_MS,
  RETRY_MS,
} from '../../../src/cluster/sync/peer-documents.ts';

/** What a node has, and what it knows of one peer. */
class Node {
  readonly mine = new Map<string, string>();
  readonly peer = new PeerDocuments((document) => this.mine.get(document) ?? '');

  /** The first telling is over, and both have the same. */
  static equal(...documents: readonly string[]): Node {
    const node = new Node();
    for (const document of documents) {
      node.mine.set(document, 'a0');
      node.peer.hear(document, 'a0', 'heads', 0);
      node.peer.sent({ document, kind: 'heads' }, 'heads', 'a0', 0);
    }
    node.peer.hearEnd();
    return node;
  }

  write(document: string, heads: string, origin: 'own' | 'peer', nowMs = 0): void {
    this.mine.set(document, heads);
    this.peer.changed(document, origin, nowMs);
  }

  /** What is due, and is then sent: as `document` for a message, `document=` for heads alone. */
  turn(nowMs = 0, most = 1000): string {
    const due = this.peer.take(most, nowMs);
    for (const one of due)
      this.peer.sent(
        one,
        one.kind === 'exchange' ? 'message' : 'heads',
        this.mine.get(one.document) ?? '',
        nowMs,
      );
    return due.map(({ document, kind }) => (kind === 'exchange' ? document : `${document}=`)).join(' ');
  }
}

describe('what a peer is told', () => {
  it('is nothing about what is equal', () => {
    const node = Node.equal('root', 'zone/0/a.');
    expect(node.turn()).toBe('');
    expect(node.peer.behind()).toEqual({ documents: 0, sinceMs: undefined });
    expect(node.peer.wakeAtMs(0)).toBeUndefined();
  });

  it('is a message for what differs in the first telling, root included once all is told', () => {
    const node = new Node();
    node.peer.hear('root', 'b0', 'heads', 5);
    node.peer.hear('zone/0/a.', 'b0', 'heads', 5);
    expect(node.turn(5)).toBe('zone/0/a.');
    node.peer.hearEnd();
    expect(node.turn(5)).toBe('root');
    expect(node.peer.behind()).toEqual({ documents: 2, sinceMs: 5 });
  });

  it('is a message for an own write at once, and heads for a relayed one', () => {
    const node = Node.equal('root', 'zone/0/a.');
    node.write('zone/0/a.', 'a1', 'own');
    node.write('root', 'a1', 'peer');
    expect(node.turn()).toBe('zone/0/a. root=');
  });

  it('is one message for a document until it is answered, then one for all that came meanwhile', () => {
    const node = Node.equal('root');
    node.write('root', 'a1', 'own');
    expect(node.turn()).toBe('root');
    node.write('root', 'a2', 'own');
    node.write('root', 'a3', 'own');
    expect(node.turn()).toBe('');
    node.peer.hear('root', 'a1', 'message', 0);
    expect(node.turn()).toBe('root');
    node.peer.hear('root', 'a3', 'heads', 0);
    expect(node.turn()).toBe('');
    expect(node.peer.behind().documents).toBe(0);
  });

  it('is bounded in documents under way, and the rest follows as answers come', () => {
    const node = new Node();
    const documents = Array.from({ length: 300 }, (_, number) => `zone/0/${number}.`);
    for (const document of documents) node.peer.hear(document, 'b0', 'heads', 0);
    node.peer.hearEnd();
    expect(node.turn().split(' ')).toHaveLength(MAX_PULLS);
    expect(node.turn()).toBe('');
    for (const document of documents) node.write(document, 'a0', 'own');
    expect(node.turn().split(' ')).toHaveLength(MAX_UNDER_WAY - MAX_PULLS);
    node.peer.hear('zone/0/0.', 'a0', 'heads', 0);
    expect(node.turn()).not.toBe('');
  });

  it('is an answer to each of its messages, even where there is nothing to add', () => {
    const node = Node.equal('root');
    node.peer.hear('root', 'a0', 'message', 0);
    const [due] = node.peer.take(1, 0);
    expect(due).toEqual({ document: 'root', kind: 'exchange' });
    expect(due && node.peer.mustTell(due, 'a0')).toBe(true);
  });
});

describe('what a peer has that we lack', () => {
  it('is pulled after a moment, in which its author may tell us', () => {
    const node = Node.equal('zone/0/a.');
    node.peer.hear('zone/0/a.', 'b1', 'heads', 10);
    expect(node.turn(10)).toBe('');
    expect(node.peer.wakeAtMs(10)).toBe(10 + RELAY_GRACE_MS);
    expect(node.turn(10 + RELAY_GRACE_MS)).toBe('zone/0/a.');
    const told = Node.equal('zone/0/a.');
    told.peer.hear('zone/0/a.', 'b1', 'heads', 10);
    told.write('zone/0/a.', 'b1', 'peer', 20);
    expect(told.turn(10_000)).toBe('zone/0/a.=');
  });

  it('is pulled in the end, though it changes all the time', () => {
    const node = Node.equal('zone/0/a.');
    let pulledAtMs: number | undefined;
    for (let nowMs = 0; nowMs < 5000 && pulledAtMs === undefined; nowMs += 50) {
      node.peer.hear('zone/0/a.', `b${nowMs}`, 'heads', nowMs);
      if (node.turn(nowMs) !== '') pulledAtMs = nowMs;
    }
    expect(pulledAtMs).toBe(MAX_GRACE_MS);
  });

  it('is asked for again when an exchange ends without it, but not when one of the two refused it', () => {
    const node = Node.equal('zone/0/a.');
    node.write('zone/0/a.', 'a1', 'own');
    const [due] = node.peer.take(1, 0);
    if (due !== undefined) node.peer.sent(due, 'nothing', 'a1', 0);
    expect(node.peer.wakeAtMs(0)).toBe(RETRY_MS);
    expect(node.turn(RETRY_MS)).toBe('zone/0/a.');
    node.peer.hear('zone/0/a.', 'b1', 'refused', RETRY_MS);
    expect(node.peer.wakeAtMs(RETRY_MS)).toBeUndefined();
    node.write('zone/0/a.', 'a2', 'own', RETRY_MS);
    expect(node.turn(RETRY_MS)).toBe('zone/0/a.');
  });
});

describe('the root document', () => {
  it('is told after the zones of the same write, and not before the peer has something of a new one', () => {
    const node = Node.equal('root');
    node.write('root', 'a1', 'own');
    node.write('zone/0/new.', 'a0', 'own');
    expect(node.turn()).toBe('zone/0/new.');
    node.peer.hear('zone/0/new.', '', 'message', 0);
    expect(node.turn()).toBe('zone/0/new.');
    node.peer.hear('zone/0/new.', 'a0', 'heads', 0);
    expect(node.turn()).toBe('root');
  });

  it('waits for a limited time', () => {
    const node = Node.equal('root');
    node.write('root', 'a1', 'own');
    node.write('zone/0/new.', 'a0', 'own');
    expect(node.turn(0)).toBe('zone/0/new.');
    expect(node.peer.wakeAtMs(0)).toBe(MAX_ROOT_HOLD_MS);
    expect(node.turn(MAX_ROOT_HOLD_MS)).toBe('root');
  });

  it('of the peer is taken in once all is here that it told of zones', () => {
    const node = Node.equal('root');
    expect(node.peer.holdsRoot(0)).toBe(false);
    node.peer.hear('zone/0/new.', 'b0', 'heads', 0);
    expect(node.peer.holdsRoot(0)).toBe(true);
    node.write('zone/0/new.', 'b0', 'peer', 1);
    expect(node.peer.holdsRoot(1)).toBe(false);
    node.peer.hear('zone/0/new.', 'b1', 'heads', 2);
    expect(node.peer.holdsRoot(2)).toBe(true);
    expect(node.peer.holdsRoot(2 + MAX_ROOT_HOLD_MS)).toBe(false);
  });
});
