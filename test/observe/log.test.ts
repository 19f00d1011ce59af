import { describe, expect, it } from 'vitest';
import { createLogger } from '../../src/observe/log.ts';

function linesOf(level: Parameters<typeof createLogger>[0]): unknown[] {
  const lines: unknown[] = [];
  const log = createLogger(level, { write: (line) => lines.push(JSON.parse(line)) });
  log.info({ port: 53 }, 'listening');
  log.error({ error: 'x' }, 'failed');
  return lines;
}

describe('createLogger', () => {
  it('writes JSON lines with the level as a word and the time in UTC', () => {
    const [first] = linesOf('info');
    expect(first).toEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      port: 53,
      msg: 'listening',
    });
  });

  it('leaves out what is below its level', () => {
    expect(linesOf('error')).toHaveLength(1);
    expect(linesOf('silent')).toHaveLength(0);
  });
});
