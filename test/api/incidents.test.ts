import { describe, expect, it } from 'vitest';
import type { IncidentSource } from '../../src/api/incident-source.ts';
import { HistoryDatabase } from '../../src/history/history-database.ts';
import { delivery, ended, incident, loss, T0 } from '../history/incidents.ts';
import { bodies } from './resources.ts';
import { type Answer, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

const SECRET = 'correct horse battery staple';

/** The history as it is, in memory. */
function historySource(): IncidentSource {
  const database = new HistoryDatabase({ path: ':memory:', retention: { days: 90, mebibytes: 64 } });
  const evidence = {
    vantage: 'ams1',
    verdict: 'down',
    sinceMs: T0 - 100,
    firstFailureAtMs: T0 - 1500,
    failures: 2,
    observedAtMs: T0 - 100,
    result: { ok: false, reason: 'timeout', detail: 'no answer', durationMs: 3000, evidence: { bytes: 0 } },
  } as const;
  database.put(
    {
      incidents: [incident('a', 0, { vantages: [evidence] }), ended(incident('b', 1), 2), loss('fra', 3)],
      deliveries: [delivery('1', 1), delivery('2', 2), delivery('3', 3, { channel: 'other' })],
    },
    T0,
  );
  return {
    incidents: async (filter) => database.incidents(filter),
    incident: async (id) => database.incident(id),
    deliveries: async (query) => database.deliveries(query),
    testChannel: async (name) =>
      delivery('4', 4, { channel: name, event: 'test', state: 'delivered', attempts: 1 }),
  };
}

function idsOf({ body }: Answer): readonly string[] {
  return (body as { items: { id: string }[] }).items.map(({ id }) => id);
}

describe('/v1/incidents', () => {
  it('lists by filter, a page at a time', async () => {
    const { send } = await startApi(undefined, { incidents: historySource() });
    const first = await send('GET', '/v1/incidents?limit=2');
    const { next } = first.body as { next: string };
    expect(idsOf(first)).toEqual([loss('fra', 3).id, incident('b', 1).id]);
    const second = await send('GET', `/v1/incidents?limit=2&after=${next}`);
    expect([idsOf(second), (second.body as { next?: string }).next]).toEqual([
      [incident('a', 0).id],
      undefined,
    ]);
    expect(idsOf(await send('GET', '/v1/incidents?open=false'))).toEqual([incident('b', 1).id]);
    expect(idsOf(await send('GET', '/v1/incidents?since=2026-01-01T00:02:30Z'))).toEqual([
      loss('fra', 3).id,
      incident('a', 0).id,
    ]);
  });

  it('reads one with its timeline and evidence', async () => {
    const { send } = await startApi(undefined, { incidents: historySource() });
    const { status, body } = await send('GET', `/v1/incidents/${incident('a', 0).id}`);
    expect([status, body]).toMatchObject([
      200,
      {
        failoverSeconds: 1.502,
        staleGoneAt: '2026-01-01T00:00:30.002Z',
        timeline: [
          { step: 'first-failure', vantage: 'ams1' },
          { step: 'vantage' },
          { step: 'decided' },
          { step: 'live', node: 'ams1' },
          { step: 'stale-gone' },
        ],
        vantages: [{ vantage: 'ams1', reason: 'timeout', durationMs: 3000, evidence: { bytes: 0 } }],
      },
    ]);
  });

  it.each(['/v1/incidents?limit=0', '/v1/incidents?since=yesterday', '/v1/incidents?colour=red'])(
    'refuses %s',
    async (path) => {
      const { send } = await startApi(undefined, { incidents: historySource() });
      expect((await send('GET', path)).status).toBe(400);
    },
  );

  it('says that there is none, and that the history cannot be read', async () => {
    const lost = async (): Promise<never> => Promise.reject(new Error('the thread ended'));
    const { send } = await startApi(undefined, { incidents: { ...historySource(), incidents: lost } });
    expect((await send('GET', '/v1/incidents/17.web.z')).status).toBe(404);
    const { status, headers } = await send('GET', '/v1/incidents');
    expect([status, headers.get('retry-after')]).toEqual([503, '2']);
  });
});

describe('/v1/alert-channels', () => {
  const url = 'https://alerts.example.net/hook/T0P5ECRET';
  const item = '/v1/alert-channels/on-call';

  it('never shows a secret, and keeps it when what is shown is written back', async () => {
    const { send, plane } = await startApi(createTestPlane());
    const answers = [await send('PUT', item, { ...bodies.alertChannel, url, secret: SECRET })];
    answers.push(await send('GET', item), await send('GET', '/v1/alert-channels'));
    const { value: shown } = (answers[1]?.body ?? { value: {} }) as { value: Record<string, unknown> };
    expect(shown).toMatchObject({
      url: 'https://alerts.example.net/',
      secret: { set: true },
      routingKey: { set: false },
    });
    const { secret: _, routingKey: __, ...sent } = shown;
    const etag = answers[1]?.headers.get('etag') ?? '';
    answers.push(await send('PUT', item, { ...sent, description: 'Nights.' }, { 'if-match': etag }));
    expect(plane.config.alertChannels.get('on-call')?.value).toMatchObject({
      url,
      secret: SECRET,
      description: 'Nights.',
    });
    expect(answers.map(({ status }) => status)).toEqual([201, 200, 200, 200]);
    expect(JSON.stringify(answers.map(({ body }) => body))).not.toMatch(/horse|T0P5ECRET/);
    expect(answers[3]?.headers.get('etag')).not.toBe(etag);
  });

  it('takes a secret away by a patch, and changes it by another', async () => {
    const { send, plane } = await startApi(createTestPlane());
    const secretOf = (): string | undefined => plane.config.alertChannels.get('on-call')?.value.secret;
    await send('PUT', item, { ...bodies.alertChannel, url, secret: SECRET });
    await send('PATCH', item, { secret: `${SECRET}!` });
    expect([secretOf(), plane.config.alertChannels.get('on-call')?.value.url]).toEqual([`${SECRET}!`, url]);
    await send('PATCH', item, { secret: null });
    expect(secretOf()).toBeUndefined();
  });

  it.each([
    {
      name: 'PagerDuty without its key',
      change: { format: 'pagerduty' },
      path: 'alertChannels/on-call/routingKey',
    },
    { name: 'a short secret', change: { secret: 'horse' }, path: 'alertChannels/on-call/secret' },
    { name: 'an unknown pool', change: { pools: ['nowhere'] }, path: 'alertChannels/on-call/pools' },
    {
      name: 'an unknown placeholder',
      change: { template: '{"a": "{{b}}"}' },
      path: 'alertChannels/on-call/template',
    },
    {
      name: 'a template that is no JSON',
      change: { template: '{"a": {{title}}}' },
      path: 'alertChannels/on-call/template',
    },
    {
      name: 'another protocol',
      change: { url: 'ftp://alerts.example.net/' },
      path: 'alertChannels/on-call/url',
    },
  ])('refuses $name, without saying it again', async ({ change, path }) => {
    const { send } = await startApi(createTestPlane());
    const { status, body } = await send('PUT', item, { ...bodies.alertChannel, ...change });
    expect([
      status,
      (body as { problems: { path: string }[] }).problems.map((problem) => problem.path),
    ]).toEqual([422, [path]]);
    expect(JSON.stringify(body)).not.toMatch(/horse/);
  });

  it('lists deliveries, and sends a test', async () => {
    const { send } = await startApi(createTestPlane(), { incidents: historySource() });
    await send('PUT', item, { ...bodies.alertChannel, url });
    const page = await send('GET', `${item}/deliveries?limit=1`);
    expect([idsOf(page), (page.body as { next: string }).next]).toEqual([
      [delivery('2', 2).id],
      delivery('2', 2).id,
    ]);
    expect((await send('POST', `${item}/test`)).body).toMatchObject({ event: 'test', state: 'delivered' });
    expect((await send('POST', '/v1/alert-channels/none/test')).status).toBe(404);
    expect((await send('GET', '/v1/alert-channels/none/deliveries')).status).toBe(404);
  });
});
