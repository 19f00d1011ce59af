import { describe, expect, it } from 'vitest';
import { MAX_WAITING_TURNS, MAX_WEIGHT_PER_FLUSH, WriteQueue } from '../../src/store/write-queue.ts';
import { settle } from '../until.ts';

/** A disk whose flushes end when told. */
function slowDisk(): {
  readonly flushes: string[];
  readonly flush: (writes: readonly string[]) => Promise<void>;
  readonly end: () => void;
} {
  const flushes: string[] = [];
  const ends: (() => void)[] = [];
  return {
    flushes,
    flush: (writes) => {
      flushes.push(writes.join(' '));
      return new Promise((resolve) => ends.push(resolve));
    },
    end: () => ends.shift()?.(),
  };
}

describe('write queue', () => {
  it('lets writes that wait together share one flush', async () => {
    const disk = slowDisk();
    const queue = new WriteQueue<string>(disk.flush);
    queue.write('a');
    queue.write('b');
    await settle();
    queue.write('c');
    queue.write('d');
    await settle();
    expect(disk.flushes).toEqual(['a b']);
    disk.end();
    await settle();
    expect(disk.flushes).toEqual(['a b', 'c d']);
  });

  it('runs what must run alone between what came before and what came after', async () => {
    const disk = slowDisk();
    const queue = new WriteQueue<string>(disk.flush);
    queue.write('a');
    const alone = queue.alone(() => disk.flushes.push('alone'));
    queue.write('b');
    await settle();
    expect(disk.flushes).toEqual(['a']);
    disk.end();
    await alone;
    await settle();
    expect(disk.flushes).toEqual(['a', 'alone', 'b']);
  });

  it('goes on after a turn that failed', async () => {
    const disk = slowDisk();
    const queue = new WriteQueue<string>(disk.flush);
    const failed = queue.alone(() => Promise.reject(new Error('no')));
    await expect(failed).rejects.toThrow('no');
    queue.write('a');
    await settle();
    expect(disk.flushes).toEqual(['a']);
  });

  it('bounds a flush, and what may wait', async () => {
    const disk = slowDisk();
    const queue = new WriteQueue<string>(disk.flush);
    for (let index = 0; index < MAX_WAITING_TURNS; index += 1) queue.write('w');
    expect(() => queue.write('w')).toThrow(expect.objectContaining({ code: 'busy' }));
    await settle();
    expect(disk.flushes.map((flush) => flush.split(' ').length)).toEqual([MAX_WEIGHT_PER_FLUSH]);
  });

  it('ends everything that was taken before it closes, and takes no more', async () => {
    const disk = slowDisk();
    const queue = new WriteQueue<string>(disk.flush);
    queue.write('a');
    const closed = queue.close();
    expect(() => queue.write('b')).toThrow(expect.objectContaining({ code: 'closed' }));
    await settle();
    disk.end();
    await closed;
    expect(disk.flushes).toEqual(['a']);
  });
});
