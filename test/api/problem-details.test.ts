import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { httpProblems, MAX_PROBLEMS_TOLD, problemDetails } from '../../src/api/problem-details.ts';

const page = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'api.md'), 'utf8');

describe('the refusals of the API', () => {
  it('are on its page, each with its status, and no others', () => {
    const rows = [...page.matchAll(/^\| `([a-z-]+)` *\| (\d{3}) *\|/gm)].map(([, code, status]) => [
      code,
      Number(status),
    ]);
    expect(rows).toEqual(Object.entries(httpProblems).map(([code, { status }]) => [code, status]));
  });

  it('are bounded in length', () => {
    const problem = { code: 'invalid-value', path: '', message: 'No.' };
    const many = new Array(MAX_PROBLEMS_TOLD + 1).fill(problem);
    const details = problemDetails('not-valid', 'No.', many, '/v1/pools/web');
    expect(details.problems).toHaveLength(MAX_PROBLEMS_TOLD);
    expect(details).toMatchObject({
      type: 'urn:meridian:problem:not-valid',
      status: 422,
      instance: '/v1/pools/web',
    });
  });
});
