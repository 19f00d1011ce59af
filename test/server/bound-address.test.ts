import { describe, expect, it } from 'vitest';
import { type BoundAddress, openBoundAddress } from '../../src/server/bound-address.ts';
import type { Native } from '../../src/server/native.ts';
import { defaultServerLimits } from '../../src/server/server-limits.ts';

/*
 * Who gets the packets while one server takes over from another: against a model of the kernel's groups.
 */
const PORT = 5300;
const FIRST_TCP = 1_000;

/** The groups of one address. A TCP socket is in its group from the start here. */
class Kernel {
  readonly udp: number[] = [];
  readonly tcp: number[] = [];
  #claim: { readonly first: number; readonly count: number } | undefined;
  #next = 1;
  /** Told before and after each socket is closed: the UDP sockets that may get the next packet. */
  onClose: ((closing: number, receivers: readonly number[]) => void) | undefined;
  refuse: 'nothing' | 'claims' | 'tcp' = 'nothing';

  /** By the claim; by the hash where it names a place that nobody has. */
  receivers(): readonly number[] {
    const { first, count } = this.#claim ?? { first: 0, count: this.udp.length };
    const claimed = this.udp.slice(first, first + count);
    return claimed.length === count ? claimed : this.udp;
  }

  readonly native = {
    openUdp: () => this.#open(this.udp, this.#next++),
    openTcp: () => {
      if (this.refuse === 'tcp') throw Object.assign(new Error('in use'), { code: 'EADDRINUSE' });
      return this.#open(this.tcp, FIRST_TCP + this.#next++);
    },
    socketPort: () => PORT,
    claimTraffic: (descriptor: number, first: number, count: number) => {
      if (this.refuse === 'claims') throw Object.assign(new Error('no filters'), { code: 'EPERM' });
      if (descriptor < FIRST_TCP) this.#claim = { first, count };
    },
    releaseClaim: (descriptor: number) => {
      if (descriptor < FIRST_TCP) this.#claim = undefined;
    },
    closeSocket: (descriptor: number) => {
      const group = descriptor < FIRST_TCP ? this.udp : this.tcp;
      const place = group.indexOf(descriptor);
      if (place < 0) throw new Error(`${descriptor} is closed twice`);
      this.onClose?.(descriptor, this.receivers());
      const last = group.pop();
      if (last !== undefined && place < group.length) group[place] = last;
      this.onClose?.(descriptor, this.receivers());
    },
  } as unknown as Native;

  #open(group: number[], descriptor: number): number {
    group.push(descriptor);
    return descriptor;
  }

  serve(udpWorkers: number, older?: BoundAddress): BoundAddress {
    const wanted = { address: '192.0.2.53', port: PORT };
    const sharing = older === undefined ? 'alone' : 'joined';
    const parts = { native: this.native, limits: defaultServerLimits, udpWorkers, sharing } as const;
    return openBoundAddress(wanted, { ...parts, older: older?.counts });
  }
}

describe('BoundAddress', () => {
  it.each([
    [1, [2, 3, 1]],
    [2, [2, 5, 3, 2]],
    [4, [2, 2, 2]],
    [1, [1, 1]],
  ])('hands over from %i sockets to %j in turn, and no packet goes to one that leaves', (first, turns) => {
    const kernel = new Kernel();
    let server = kernel.serve(first);
    for (const count of turns) {
      const older = [...server.udpOfWorker];
      const successor = kernel.serve(count, server);
      expect([...kernel.receivers()].sort()).toEqual(older.sort());
      successor.claimTraffic(server.counts);
      expect(kernel.receivers().length).toBe(count);
      kernel.onClose = (_closing, receivers) => {
        // A single successor behind several has no place of its own; see the drawing.
        if (count === 1 && older.length > 1) return;
        expect(receivers.filter((receiver) => older.includes(receiver))).toEqual([]);
      };
      server.beginClosing();
      server.close();
      kernel.onClose = undefined;
      successor.releaseClaim();
      expect([...kernel.receivers()].sort()).toEqual([...successor.udpOfWorker].sort());
      server = successor;
    }
    expect(kernel.udp.length).toBe(turns.at(-1));
  });

  it('gives the traffic back when it closes before the older server', () => {
    const kernel = new Kernel();
    const older = kernel.serve(2);
    const successor = kernel.serve(2, older);
    successor.claimTraffic(older.counts);
    successor.beginClosing();
    const own = successor.udpOfWorker;
    expect(kernel.receivers().filter((receiver) => own.includes(receiver))).toEqual([]);
    kernel.onClose = (_closing, receivers) =>
      expect(receivers.filter((receiver) => own.includes(receiver))).toEqual([]);
    successor.close();
    expect(kernel.udp).toEqual(older.udpOfWorker);
  });

  it('serves all the same where the system allows no claims', () => {
    const kernel = new Kernel();
    const older = kernel.serve(2);
    kernel.refuse = 'claims';
    const successor = kernel.serve(2, older);
    successor.claimTraffic(older.counts);
    older.beginClosing();
    older.close();
    successor.releaseClaim();
    expect([...kernel.udp].sort()).toEqual([...successor.udpOfWorker].sort());
  });

  it('leaves nothing open where TCP has no room', () => {
    const kernel = new Kernel();
    kernel.refuse = 'tcp';
    expect(() => kernel.serve(2)).toThrow(/in use by another process/);
    expect([kernel.udp, kernel.tcp]).toEqual([[], []]);
  });
});
