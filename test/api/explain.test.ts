import { describe, expect, it } from 'vitest';
import { createDecision } from '../../src/answer/decision.ts';
import { explanationSchema } from '../../src/api/answer-schemas.ts';
import type { ExplainQuestion } from '../../src/api/control-plane.ts';
import { startApi } from './started-api.ts';
import { createTestPlane, type TestPlane } from './test-plane.ts';

/** A plane that keeps what it was asked. */
function askedPlane(): { readonly plane: TestPlane; readonly asked: ExplainQuestion[] } {
  const plane = createTestPlane();
  const asked: ExplainQuestion[] = [];
  plane.decide = (question) => {
    asked.push(question);
    return { ...plane.decided, decision: { ...createDecision(), outcome: 'refused', rcode: 5 } };
  };
  return { plane, asked };
}

describe('GET /v1/explain', () => {
  it.each([
    {
      name: 'only a name',
      query: 'name=www.example.org',
      want: { name: 'www.example.org.', type: 'A', client: undefined, resolver: '127.0.0.1' },
    },
    {
      name: 'everything, in any case',
      query: 'name=WWW.Example.org.&type=aaaa&client=192.0.2.0/24&resolver=2001:db8::1',
      want: { name: 'www.example.org.', type: 'AAAA', client: '192.0.2.0/24', resolver: '2001:db8::1' },
    },
    {
      name: 'a type without a mnemonic and an IPv6 client',
      query: 'name=.&type=TYPE65400&client=2001:db8::7',
      want: { name: '.', type: 'TYPE65400', client: '2001:db8::7', resolver: '127.0.0.1' },
    },
  ])('asks with $name', async ({ query, want }) => {
    const { plane, asked } = askedPlane();
    const { send } = await startApi(plane);
    const { status, body } = await send('GET', `/v1/explain?${query}`);
    expect(status).toBe(200);
    expect(asked).toEqual([want]);
    expect(body).toMatchObject({
      question: { name: want.name, type: want.type },
      answer: { rcode: 'REFUSED', records: [] },
      attribution: 'Test data',
    });
    expect(explanationSchema.parse(body)).toEqual(body);
  });

  it.each([
    { name: 'no name', query: '', paths: ['name'] },
    { name: 'a bad name', query: 'name=a..b', paths: ['name'] },
    { name: 'a long name', query: `name=${'a'.repeat(2000)}`, paths: ['name'] },
    { name: 'a bad type', query: 'name=a&type=NOPE', paths: ['type'] },
    { name: 'a bad client', query: 'name=a&client=192.0.2.0/33', paths: ['client'] },
    { name: 'a client by name', query: 'name=a&client=example.org', paths: ['client'] },
    { name: 'a resolver that is a prefix', query: 'name=a&resolver=192.0.2.0/24', paths: ['resolver'] },
    {
      name: 'all of it',
      query: 'name=a..b&type=NOPE&client=x&resolver=y',
      paths: ['name', 'type', 'resolver', 'client'],
    },
    { name: 'a name twice', query: 'name=a&name=b', paths: ['name'] },
    { name: 'an unknown parameter', query: 'name=a&colour=red', paths: ['colour'] },
  ])('refuses $name, with every reason', async ({ query, paths }) => {
    const { plane, asked } = askedPlane();
    const { send } = await startApi(plane);
    const { status, body } = await send('GET', `/v1/explain?${query}`);
    expect(status).toBe(400);
    expect(asked).toEqual([]);
    const { code, problems } = body as { code: string; problems: { path: string; message: string }[] };
    expect(code).toBe('bad-parameter');
    expect(problems.map(({ path, message }) => path || message)).toEqual(
      paths.map((path) => expect.stringContaining(path)),
    );
  });
});
