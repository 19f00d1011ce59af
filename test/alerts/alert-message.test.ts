import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { formatMessage, titleOf } from '../../src/alerts/alert-message.ts';
import type { Delivery } from '../../src/alerts/delivery.ts';
import type { AlertChannel } from '../../src/config/resources/alert-channel.ts';
import { delivery, ended, incident, loss, T0 } from '../history/incidents.ts';
import { channel } from './channels.ts';

function body(given: Partial<Delivery>, changes: Partial<AlertChannel> = {}): Record<string, unknown> {
  return JSON.parse(formatMessage(delivery('1', 0, given), channel(changes), T0).body);
}

const lost = [loss('fra', 0), incident('a', 0), incident('b', 0)];
const sin = incident('c', 0, { dataCenter: 'sin' });

describe('a title', () => {
  const cases: readonly {
    readonly name: string;
    readonly given: Partial<Delivery>;
    readonly want: string;
  }[] = [
    { name: 'an endpoint', given: { incidents: [incident('a', 0)] }, want: 'web/a in fra is down' },
    {
      name: 'a lost data center is one thing',
      given: { incidents: lost, total: 3 },
      want: 'Data center fra is lost',
    },
    {
      name: 'and something beside it',
      given: { incidents: [...lost, sin], total: 4 },
      want: 'Data center fra is lost, and 1 endpoint elsewhere',
    },
    {
      name: 'endpoints of several data centers',
      given: { incidents: [incident('a', 0), sin], total: 2 },
      want: '2 endpoints in fra, sin are out of service',
    },
    {
      name: 'a data center that is back',
      given: { event: 'recovered', incidents: lost.map((one) => ended(one, 1)), total: 3 },
      want: 'Data center fra is back',
    },
    {
      name: 'a drained data center',
      given: { incidents: [loss('fra', 0, { verdict: 'drained', severity: 'info' })] },
      want: 'Data center fra is drained',
    },
    { name: 'a test', given: { event: 'test' }, want: 'A test of the alert channel on-call' },
  ];
  it.each(cases)('$name', ({ given, want }) => {
    expect(titleOf(delivery('1', 0, given))).toBe(want);
  });
});

describe('a body', () => {
  it('of json has everything', () => {
    expect(body({ incidents: lost, total: 3 })).toMatchObject({
      channel: 'on-call',
      event: 'opened',
      severity: 'critical',
      title: 'Data center fra is lost',
      total: 3,
      incidents: [
        { kind: 'data-center', dataCenter: 'fra', endpoints: 2 },
        { endpoint: 'a' },
        { endpoint: 'b' },
      ],
    });
  });

  it('of a template is JSON, whatever the texts hold', () => {
    const template = '{"summary": "{{title}}", "why": "{{ text }}", "n": "{{count}}"}';
    const odd = incident('a', 0, { reason: 'said "no" \\ and\nleft' });
    expect(body({ incidents: [odd] }, { template })).toEqual({
      summary: 'web/a in fra is down',
      why: 'web/a in fra: down. said "no" \\ and\nleft',
      n: '1',
    });
  });

  it('of Slack is text without markup of strangers', () => {
    const odd = incident('a', 0, { reason: '<!channel> & <https://example.org|x>' });
    expect(body({ incidents: [odd] }, { format: 'slack' })).toEqual({
      text: '*web/a in fra is down*\nweb/a in fra: down. &lt;!channel&gt; &amp; &lt;https://example.org|x&gt;',
    });
  });

  it('of PagerDuty triggers and resolves the same alert', () => {
    const pager = { format: 'pagerduty', routingKey: 'R0UTE' } as const;
    expect(body({ incidents: lost, total: 3 }, pager)).toMatchObject({
      routing_key: 'R0UTE',
      event_action: 'trigger',
      dedup_key: 'meridian/fra',
      payload: { summary: 'Data center fra is lost', source: 'fra', severity: 'critical' },
    });
    expect(body({ event: 'recovered', incidents: lost, total: 3 }, pager)).toEqual({
      routing_key: 'R0UTE',
      event_action: 'resolve',
      dedup_key: 'meridian/fra',
    });
  });

  it('is signed with its time, and says which message it is', () => {
    const secret = 'correct horse battery';
    const message = formatMessage(delivery('1', 0, { incidents: lost }), channel({ secret }), T0 + 999);
    const code = createHmac('sha256', secret)
      .update(`${T0 / 1000}.${message.body}`)
      .digest('hex');
    expect(message.headers['meridian-signature']).toBe(`t=${T0 / 1000},v1=${code}`);
    expect(message.headers['idempotency-key']).toBe(delivery('1', 0).id);
    expect(formatMessage(delivery('1', 0), channel(), T0).headers['meridian-signature']).toBeUndefined();
  });
});
