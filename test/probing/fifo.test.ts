import { expect, it } from 'vitest';
import { createFifo } from '../../src/probing/fifo.ts';

it('gives back in order, over many cuts', () => {
  const fifo = createFifo<number>();
  let next = 0;
  let taken = 0;
  for (let round = 0; round < 3000; round += 1) {
    for (let count = 0; count < 3; count += 1) fifo.add(next++);
    for (let count = 0; count < 2; count += 1) expect(fifo.take()).toBe(taken++);
  }
  expect(fifo.size).toBe(3000);
  while (fifo.size > 0) expect(fifo.take()).toBe(taken++);
  expect(fifo.take()).toBeUndefined();
  fifo.add(7);
  expect([fifo.size, fifo.take(), fifo.size]).toEqual([1, 7, 0]);
});
