import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCounters } from '../../src/observe/counters.ts';
import { defaultServerLimits, type TcpLimits } from '../../src/server/server-limits.ts';
import { eventOutputOctets, TcpSessions } from '../../src/server/tcp-sessions.ts';
import { echoParts, echoQuery } from './echo.ts';
import { frame } from './framed-client.ts';

/*
 * The state of connections without sockets and with a clock of our own. Every send, end, close and reset becomes a
 * word of the story: `1<7,8` is an answer to each of the queries 7 and 8 on connection 1, sent at once.
 */
const limits: TcpLimits = {
  connections: 3,
  connectionsPerClient: 2,
  idleMs: 10_000,
  partialMessageMs: 5_000,
  slowReaderMs: 8_000,
  lingerMs: 2_000,
  waitingAnswerOctets: 200,
  sweepMs: 500,
};

interface Stage {
  readonly sessions: TcpSessions;
  readonly story: string[];
  accept(connection: number, lastOctet?: number): boolean;
  receive(connection: number, octets: Uint8Array): void;
  counted(): string;
  /** The client of every later send leaves it waiting. */
  stall(): void;
  nowMs: number;
}

function stage(): Stage {
  const parts = echoParts({ ...defaultServerLimits, tcp: limits });
  const story: string[] = [];
  let outcome: 'taken' | 'waiting' = 'taken';
  const sockets = {
    send: (connection: number, start: number) => {
      const { desk } = sessions;
      story.push(`${connection}<${idsOf(desk.output.subarray(start, desk.at))}`);
      desk.at = start;
      return outcome;
    },
    end: (connection: number) => story.push(`${connection} end`),
    close: (connection: number) => story.push(`${connection} close`),
    reset: (connection: number) => story.push(`${connection} reset`),
  };
  const sessions = new TcpSessions(parts, sockets, 8, eventOutputOctets(parts.limits));
  const tcp: Stage = {
    sessions,
    story,
    nowMs: 0,
    accept: (connection, lastOctet = connection) => {
      sessions.clientOf(connection).octets.set([192, 0, 2, lastOctet]);
      return sessions.accept(connection, tcp.nowMs);
    },
    receive: (connection, octets) => sessions.receive(connection, octets, 0, octets.length, tcp.nowMs),
    stall: () => {
      outcome = 'waiting';
    },
    counted: () =>
      readCounters([parts.counters], 'tcpEvents')
        .filter(({ label, value }) => value > 0 && label !== 'accepted')
        .map(({ label }) => label)
        .join(' '),
  };
  return tcp;
}

function idsOf(output: Uint8Array): string {
  const ids: number[] = [];
  const view = Buffer.from(output);
  for (let at = 0; at < view.length; at += 2 + view.readUInt16BE(at)) ids.push(view.readUInt16BE(at + 2));
  return ids.join(',');
}

const queries = (...ids: number[]): Buffer => Buffer.concat(ids.map((id) => frame(echoQuery(id, 12))));

describe('framing', () => {
  it('answers all that comes together at once, in its order', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, queries(7, 8, 9));
    expect(tcp.story).toEqual(['1<7,8,9']);
  });

  it('gives the same answers wherever the octets are cut', () => {
    const octets = queries(1, 2, 3, 4);
    const cuts = fc.uniqueArray(fc.integer({ min: 1, max: octets.length - 1 }), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (given) => {
        const tcp = stage();
        tcp.accept(1);
        const bounds = [0, ...given.toSorted((one, other) => one - other), octets.length];
        for (let index = 1; index < bounds.length; index++)
          tcp.receive(1, octets.subarray(bounds[index - 1], bounds[index]));
        expect(tcp.story.map((word) => word.slice(2)).join(',')).toBe('1,2,3,4');
      }),
    );
  });

  it('sends before it has gathered too much', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, Buffer.concat([1, 2, 3, 4].map((id) => frame(echoQuery(id, 120)))));
    expect(tcp.story).toEqual(['1<1,2', '1<3,4']);
  });

  const broken = [
    { name: 'a length of no message', given: Buffer.of(0, 11, 1), want: '1<7 | 1 end' },
    { name: 'a length of zero', given: Buffer.of(0, 0), want: '1<7 | 1 end' },
    { name: 'the shortest message', given: frame(Buffer.alloc(12)), want: '1<7,0' },
  ];
  it.each(broken)('$name', ({ given, want }) => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, Buffer.concat([queries(7), given]));
    expect(tcp.story.join(' | ')).toBe(want);
  });

  it('throws away what comes behind a broken frame', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, Buffer.of(0, 5));
    tcp.receive(1, queries(1));
    expect([tcp.story, tcp.counted()]).toEqual([['1 end'], 'closed-bad-frame']);
  });
});

describe('a client that does not take its answers', () => {
  it('is asked nothing further, and is answered where it stopped', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.stall();
    tcp.receive(1, Buffer.concat([1, 2, 3, 4, 5].map((id) => frame(echoQuery(id, 120)))));
    expect(tcp.story).toEqual(['1<1,2']);
    tcp.sessions.drained(1, tcp.nowMs);
    expect(tcp.story).toEqual(['1<1,2', '1<3,4']);
    tcp.sessions.drained(1, tcp.nowMs);
    expect(tcp.story).toEqual(['1<1,2', '1<3,4', '1<5']);
  });

  it('is answered whole before our side is ended', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.stall();
    tcp.receive(1, Buffer.concat([1, 2, 3].map((id) => frame(echoQuery(id, 120)))));
    tcp.sessions.end(1, tcp.nowMs);
    expect(tcp.story).toEqual(['1<1,2']);
    tcp.sessions.drained(1, tcp.nowMs);
    expect(tcp.story).toEqual(['1<1,2', '1<3', '1 end']);
  });

  it('is reset after its time, which a second query does not prolong', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.stall();
    tcp.receive(1, queries(1));
    tcp.nowMs = limits.slowReaderMs - 1;
    tcp.receive(1, queries(2));
    tcp.sessions.sweep(tcp.nowMs);
    expect(tcp.story).toEqual(['1<1']);
    tcp.nowMs = limits.slowReaderMs;
    tcp.sessions.sweep(tcp.nowMs);
    expect([tcp.story, tcp.counted()]).toEqual([['1<1', '1 reset'], 'closed-slow-reader']);
  });
});

describe('time', () => {
  const cases = [
    {
      name: 'a connection that says nothing',
      given: Buffer.alloc(0),
      afterMs: limits.idleMs,
      want: 'closed-idle',
    },
    { name: 'one that has asked', given: queries(1), afterMs: limits.idleMs, want: 'closed-idle' },
    {
      name: 'half a length',
      given: Buffer.of(0),
      afterMs: limits.partialMessageMs,
      want: 'closed-partial-message',
    },
    {
      name: 'half a message behind a whole one',
      given: queries(1, 2).subarray(0, 30),
      afterMs: limits.partialMessageMs,
      want: 'closed-partial-message',
    },
    {
      name: 'a side that stays open after ours',
      given: Buffer.of(0, 0),
      afterMs: limits.lingerMs,
      want: 'closed-bad-frame closed-lingering',
    },
  ];
  it.each(cases)('$name', ({ given, afterMs, want }) => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, given);
    tcp.sessions.sweep(afterMs - 1);
    expect(tcp.sessions.isOpen(1)).toBe(true);
    tcp.sessions.sweep(afterMs);
    expect([tcp.sessions.isOpen(1), tcp.counted(), tcp.story.at(-1)]).toEqual([false, want, '1 close']);
  });

  it('an octet now and then does not keep a message alive', () => {
    const tcp = stage();
    tcp.accept(1);
    for (const octet of queries(1).subarray(0, 5)) {
      tcp.receive(1, Buffer.of(octet));
      tcp.nowMs += 1_000;
    }
    tcp.sessions.sweep(tcp.nowMs);
    expect(tcp.counted()).toBe('closed-partial-message');
  });
});

describe('too many connections', () => {
  it('of one client are refused, until one of them goes', () => {
    const tcp = stage();
    expect([tcp.accept(1, 9), tcp.accept(2, 9), tcp.accept(3, 9)]).toEqual([true, true, false]);
    tcp.sessions.forget(1);
    expect([tcp.accept(1, 9), tcp.counted()]).toEqual([true, 'refused-client']);
  });

  it('in all cost the one that has brought nothing whole for longest', () => {
    const tcp = stage();
    for (const connection of [1, 2, 3]) tcp.accept(connection);
    tcp.receive(1, queries(1));
    tcp.receive(2, Buffer.of(0));
    tcp.accept(4);
    expect([tcp.story, tcp.sessions.open]).toEqual([['1<1', '2 close'], 3]);
    tcp.receive(4, queries(4));
    tcp.accept(5);
    expect(tcp.story).toEqual(['1<1', '2 close', '4<4', '3 close']);
    tcp.receive(5, queries(5));
    tcp.receive(1, queries(6));
    tcp.accept(6);
    expect(tcp.story.slice(-3)).toEqual(['5<5', '1<6', '4 close']);
  });
});

describe('closing', () => {
  it('lets go of those that are answered, and of the others when they are', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.receive(1, queries(1));
    tcp.accept(2);
    tcp.stall();
    tcp.receive(2, Buffer.concat([2, 3, 4].map((id) => frame(echoQuery(id, 120)))));
    tcp.sessions.endAll(tcp.nowMs);
    expect(tcp.story).toEqual(['1<1', '2<2,3', '1 close']);
    tcp.sessions.drained(2, tcp.nowMs);
    expect(tcp.story.slice(3)).toEqual(['2<4', '2 end']);
    tcp.sessions.closeAll();
    expect([tcp.story.at(-1), tcp.sessions.open]).toEqual(['2 close', 0]);
  });

  it('forgets a connection once, whatever is told of it then', () => {
    const tcp = stage();
    tcp.accept(1);
    tcp.sessions.fail(1);
    tcp.sessions.fail(1);
    tcp.sessions.forget(1);
    tcp.receive(1, queries(1));
    expect([tcp.story, tcp.sessions.open]).toEqual([['1 close'], 0]);
  });
});
