import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AlertSender, MAX_QUEUED } from '../../src/alerts/alert-sender.ts';
import type { Delivery } from '../../src/alerts/delivery.ts';
import { WEBHOOK_TIMEOUT_MS } from '../../src/alerts/post-webhook.ts';
import { GIVE_UP_AFTER_MS } from '../../src/alerts/retry.ts';
import type { AlertChannel } from '../../src/config/resources/alert-channel.ts';
import type { Incident } from '../../src/health/incidents/incident.ts';
import type { IncidentNews } from '../../src/health/incidents/timeline.ts';
import { delivery, ended, incident, loss, T0 } from '../history/incidents.ts';
import { until } from '../until.ts';
import { channel } from './channels.ts';
import {
  hangs,
  type ReceiverAnswer,
  resets,
  startReceiver,
  status,
  staysAtWork,
  streams,
  type WebhookReceiver,
} from './webhook-receiver.ts';

let receiver: WebhookReceiver;
let senders: AlertSender[];
let nowMs: number;
let kept: Map<string, Delivery>;
let open: Incident[];
let attempts: string[];

beforeEach(async () => {
  receiver = await startReceiver();
  senders = [];
  nowMs = T0;
  kept = new Map();
  open = [];
  attempts = [];
});

afterEach(async () => {
  for (const sender of senders) await sender.close();
  await receiver.close();
});

let tags = 0;

function startSender(channels: readonly Partial<AlertChannel>[] = [{}], timeoutMs = 5000): AlertSender {
  const sender = new AlertSender({
    nowMs: () => nowMs,
    random: () => 0,
    newTag: () => String(++tags).padStart(6, '0'),
    keep: (one) => kept.set(one.id, one),
    openIncidents: () => open,
    onAttempt: (_, outcome) => attempts.push(outcome),
    onProblems: () => {},
    timeoutMs,
  });
  senders.push(sender);
  sender.configure(channels.map((changes) => channel({ url: receiver.url, groupSeconds: 0, ...changes })));
  return sender;
}

function opened(...incidents: readonly Incident[]): readonly IncidentNews[] {
  return incidents.map((one) => ({ what: 'opened', incident: one }));
}

function closed(...incidents: readonly Incident[]): readonly IncidentNews[] {
  return incidents.map((one) => ({ what: 'closed', incident: ended(one, 1) }));
}

function states(): readonly string[] {
  return Array.from(kept.values(), ({ event, state }) => `${event} ${state}`);
}

async function allFinished(): Promise<void> {
  await until(
    () => kept.size > 0 && [...kept.values()].every(({ finishedAtMs }) => finishedAtMs !== undefined),
  );
}

describe('a dead data center', () => {
  it('is one message, and so is its recovery', async () => {
    const sender = startSender();
    const all = [incident('a', 0), incident('b', 0), loss('fra', 0)];
    sender.tell(opened(...all));
    await receiver.have(1);
    await allFinished();
    sender.tell(closed(...all));
    await receiver.have(2);
    await allFinished();
    expect(receiver.received.map(({ body }) => [body.title, body.total])).toEqual([
      ['Data center fra is lost', 3],
      ['Data center fra is back', 3],
    ]);
  });

  it('is resolved at PagerDuty when the last of it is back', async () => {
    const sender = startSender([{ format: 'pagerduty', routingKey: 'key' }]);
    const [a, b] = [incident('a', 0), incident('b', 0)];
    sender.tell(opened(a, b));
    await allFinished();
    open = [b];
    sender.tell(closed(a));
    await allFinished();
    open = [];
    sender.tell(closed(b));
    await receiver.have(2);
    await allFinished();
    expect(states()).toEqual(['opened delivered', 'recovered not-needed', 'recovered delivered']);
    expect(receiver.received.map(({ body }) => body.event_action)).toEqual(['trigger', 'resolve']);
  });
});

describe('an attempt', () => {
  const cases: readonly {
    readonly name: string;
    readonly answer: ReceiverAnswer;
    readonly want: string;
    readonly error: RegExp;
    readonly timeoutMs?: number;
  }[] = [
    {
      name: '500',
      answer: status(500, {}, 'out\u0007 of order'),
      want: 'try-again',
      error: /HTTP 500: out of order/,
    },
    { name: '429', answer: status(429), want: 'try-again', error: /HTTP 429/ },
    { name: '410', answer: status(410), want: 'refused', error: /HTTP 410/ },
    {
      name: 'a redirect',
      answer: status(302, { location: 'http://127.0.0.1:1/' }),
      want: 'try-again',
      error: /redirects are not followed/,
    },
    { name: 'a reset', answer: resets, want: 'try-again', error: /hang up|ECONNRESET/ },
    {
      name: 'interim responses without end',
      answer: staysAtWork,
      want: 'try-again',
      error: /more than 16 interim/,
      timeoutMs: WEBHOOK_TIMEOUT_MS,
    },
    { name: 'no answer', answer: hangs, want: 'try-again', error: /no answer within/ },
  ];
  it.each(cases)('that gets $name is $want', async ({ answer, want, error, timeoutMs = 100 }) => {
    receiver.answerWith(answer);
    const sender = startSender([{}], timeoutMs);
    const result = await sender.test('on-call');
    expect([result?.state, result?.error, attempts]).toEqual([
      'failed',
      expect.stringMatching(error),
      [want],
    ]);
    expect(sender.problems().map(({ code, path }) => `${code} ${path}`)).toEqual([
      'alert-channel-failing alertChannels/on-call',
    ]);
    receiver.answerWith(status(204));
    expect((await sender.test('on-call'))?.state).toBe('delivered');
    expect(sender.problems()).toEqual([]);
  });

  it('does not read an answer that never ends', async () => {
    receiver.answerWith(streams);
    expect((await startSender().test('on-call'))?.state).toBe('delivered');
  });

  it('to nobody fails with a reason', async () => {
    const sender = startSender([{ url: 'http://127.0.0.1:1/' }]);
    expect((await sender.test('on-call'))?.error).toMatch(/ECONNREFUSED/);
    expect(await sender.test('another')).toBeUndefined();
  });
});

describe('what fails', () => {
  it('is tried again with the same key, and nothing overtakes it', async () => {
    receiver.answerWith(status(503), resets, status(200));
    const sender = startSender();
    sender.tell(opened(incident('a', 0)));
    await receiver.have(1);
    await until(() => attempts.length === 1);
    sender.tell(closed(incident('a', 0)));
    const [first] = kept.values();
    await until(() => kept.get(first?.id ?? '')?.attempts === 1);
    expect((kept.get(first?.id ?? '')?.dueAtMs ?? 0) - nowMs).toBe(500);
    for (const count of [2, 3]) {
      nowMs += 60_000;
      // As when a channel is written: what waits is tried at once.
      sender.configure([channel({ url: receiver.url, groupSeconds: 0 })]);
      await receiver.have(count);
      await until(() => attempts.length >= count);
    }
    await allFinished();
    expect(states()).toEqual(['opened delivered', 'recovered delivered']);
    const keys = receiver.received.map(({ headers }) => headers['idempotency-key']);
    expect([keys.length, keys[0] === keys[1], keys[1] === keys[2], keys[2] === keys[3]]).toEqual([
      4,
      true,
      true,
      false,
    ]);
  });

  it('waits as long as it is asked to', async () => {
    receiver.answerWith(status(503, { 'retry-after': '120' }));
    startSender().tell(opened(incident('a', 0)));
    await until(() => [...kept.values()].some((one) => one.attempts === 1));
    expect(Array.from(kept.values(), ({ dueAtMs }) => dueAtMs - nowMs)).toEqual([120_000]);
  });

  it('is given up after a day', async () => {
    receiver.answerWith(status(500));
    const sender = startSender();
    nowMs = T0 + GIVE_UP_AFTER_MS;
    sender.restore([delivery('1', 0)]);
    await allFinished();
    expect(states()).toEqual(['opened failed']);
  });

  it('is bounded in number: the oldest go', async () => {
    receiver.answerWith(hangs);
    const sender = startSender([{ format: 'pagerduty', routingKey: 'key', groupSeconds: 300 }]);
    for (let i = 0; i < MAX_QUEUED + 3; i++) sender.tell(opened(incident('a', i, { dataCenter: `dc${i}` })));
    const dropped = [...kept.values()].filter(({ state }) => state === 'dropped');
    expect(dropped.map(({ incidents }) => incidents[0]?.dataCenter)).toEqual(['dc0', 'dc1', 'dc2']);
    expect(sender.unfinished().length).toBe(MAX_QUEUED);
  });
});

describe('a restart', () => {
  it('goes on with what waited, and does not repeat what was delivered', async () => {
    const before = startSender([{ groupSeconds: 300 }]);
    before.tell(opened(incident('a', 0)));
    await before.close();
    const unfinished = [...kept.values()].filter(({ finishedAtMs }) => finishedAtMs === undefined);
    nowMs += 600_000;
    const after = startSender([{ groupSeconds: 300 }]);
    after.restore(unfinished);
    await allFinished();
    expect([receiver.received.length, states()]).toEqual([1, ['opened delivered']]);
    expect(receiver.received[0]?.headers['idempotency-key']).toBe(unfinished[0]?.id);
  });

  it('in the middle of an attempt leaves it waiting', async () => {
    receiver.answerWith(hangs);
    const sender = startSender();
    sender.tell(opened(incident('a', 0)));
    await receiver.have(1);
    await sender.close();
    expect(states()).toEqual(['opened waiting']);
    expect(sender.problems()).toEqual([]);
  });

  it('drops what was for a channel that is gone', async () => {
    startSender([]).restore([delivery('1', 0)]);
    expect(states()).toEqual(['opened dropped']);
  });
});
