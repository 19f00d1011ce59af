import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createWorldMessage } from '../answer/world.ts';
import { type Asking, brief, Guarded, limitOf, packetOf, withOption } from '../protection/guarded.ts';

const world = createWorldMessage({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@       SOA ns1 hostmaster 1 3600 600 86400 60
@       NS  ns1
ns1     A   192.0.2.53
www     A   192.0.2.1
www     AAAA 2001:db8::1
*.any   TXT "from a wildcard"
*.alias CNAME www
sub     NS  ns.sub
ns.sub  A   192.0.2.54
big     TXT "${'x'.repeat(250)}" "${'y'.repeat(250)}" "${'z'.repeat(250)}"
`,
  ],
  steered: [{ name: 'app.example.org.', pool: ['fra A 192.0.2.10', 'nyc A 192.0.2.20'] }],
});

const clientCookie = '2464c4abcf10c957';

/** A cookie that the server made for the client. */
function learned(server: Guarded, asking: Asking = {}): string {
  return server.ask('www.example.org A', { ...asking, cookie: clientCookie, transport: 'tcp' }).cookie;
}

describe('DNS cookies (RFC 7873 section 5.2)', () => {
  const server = new Guarded(world, {});

  it('5.2.1: who has none gets none', () => {
    const answer = server.ask('www.example.org A', { edns: 'yes' });
    expect([brief(answer), answer.cookie, server.scratch.decision.cookie]).toEqual(['NOERROR 1', '', 'none']);
  });

  it.each([0, 1, 7, 9, 15, 41, 64])('5.2.2: an option of %d octets is malformed', (length) => {
    const answer = server.ask('www.example.org A', { cookie: '00'.repeat(length) });
    expect([brief(answer), answer.cookie]).toEqual(['FORMERR', '']);
  });

  it('5.2.3: a client cookie alone gets a whole answer and a server cookie', () => {
    const answer = server.ask('www.example.org A', { cookie: clientCookie });
    expect([brief(answer), server.scratch.decision.cookie]).toEqual(['NOERROR 1', 'new']);
    expect(answer.cookie).toMatch(/^2464c4abcf10c95701000000[0-9a-f]{24}$/);
  });

  it.each([16, 24, 40])('5.2.4: a bad server cookie of %d octets is answered with a good one', (length) => {
    const answer = server.ask('www.example.org A', { cookie: clientCookie + '11'.repeat(length - 8) });
    expect([brief(answer), server.scratch.decision.cookie]).toEqual(['NOERROR 1', 'bad']);
    expect(answer.cookie).toBe(learned(server));
  });

  it('5.2.5: a good one is good again, for another question too', () => {
    const cookie = learned(server);
    const answer = server.ask('nobody.example.org A', { cookie });
    expect([brief(answer), server.scratch.decision.cookie, answer.cookie]).toEqual([
      'NXDOMAIN',
      'valid',
      cookie,
    ]);
  });

  it('is renewed after half an hour, so that it never ends for who keeps asking', () => {
    const clock = new Guarded(world, {});
    let cookie = learned(clock);
    for (let minutes = 0; minutes < 180; minutes += 20) {
      clock.pass(20 * 60);
      cookie = clock.ask('www.example.org A', { cookie }).cookie;
      expect(clock.scratch.decision.cookie).toBe('valid');
    }
  });

  it('counts the first of two options', () => {
    const good = learned(server);
    const [one, two] = [good, '00'.repeat(5)].map((hex) => Buffer.from(hex, 'hex'));
    const packet = withOption(packetOf('www.example.org A', { edns: 'yes' }), 10, one ?? Buffer.of());
    const both = Uint8Array.of(...packet, 0, 10, 0, 5, ...(two ?? []));
    both[both.length - 9 - 28 - 1] = 28 + 9;
    expect(brief(server.send(both, {}))).toBe('NOERROR 1');
    expect(server.scratch.decision.cookie).toBe('valid');
  });

  it('5.4: asks for a server cookie without a question', () => {
    const answer = server.ask('', { cookie: clientCookie });
    expect([brief(answer), answer.message?.questions.length, answer.cookie]).toEqual([
      'NOERROR',
      0,
      learned(server),
    ]);
    expect(brief(server.ask('', { cookie: learned(server) }))).toBe('NOERROR');
    expect(brief(server.ask('', { cookie: `${clientCookie}${'00'.repeat(16)}` }))).toBe('BADCOOKIE');
    expect(brief(server.ask('', { edns: 'yes' }))).toBe('FORMERR');
  });

  it('knows none where they are off', () => {
    const off = new Guarded(world, { cookies: { enabled: false, required: false } });
    const answer = off.ask('www.example.org A', { cookie: clientCookie });
    expect([brief(answer), answer.cookie]).toEqual(['NOERROR 1', '']);
    expect(brief(off.ask('', { cookie: clientCookie }))).toBe('FORMERR');
  });

  it('can be required over UDP of clients that have them', () => {
    const strict = new Guarded(world, { cookies: { enabled: true, required: true } });
    const first = strict.ask('www.example.org A', { cookie: clientCookie });
    expect([brief(first), first.message?.authoritative]).toEqual(['BADCOOKIE', false]);
    expect(brief(strict.ask('www.example.org A', { cookie: first.cookie }))).toBe('NOERROR 1');
    expect(brief(strict.ask('www.example.org A', { cookie: clientCookie, transport: 'tcp' }))).toBe(
      'NOERROR 1',
    );
    expect(brief(strict.ask('www.example.org A'))).toBe('NOERROR 1');
  });

  it('leaves room for itself in a large answer', () => {
    const small = new Guarded(world, { maxUdpAnswerOctets: 830 });
    expect(brief(small.ask('big.example.org TXT', { edns: 'yes' }))).toBe('NOERROR 1');
    const answer = small.ask('big.example.org TXT', { cookie: clientCookie });
    expect([brief(answer), answer.cookie.length, answer.octets <= 830]).toEqual(['tc', 48, true]);
  });
});

describe('the rate limit', () => {
  const seven = (server: Guarded, question: string, asking: Asking = {}): string =>
    Array.from({ length: 7 }, () => brief(server.ask(question, asking))).join(', ');

  it.each([
    { question: 'www.example.org A', want: 'NOERROR 1, NOERROR 1, drop, tc, drop, tc, drop' },
    { question: 'app.example.org A', want: 'NOERROR 1, NOERROR 1, drop, tc, drop, tc, drop' },
    { question: 'www.example.org TXT', want: 'NOERROR, NOERROR, drop, tc, drop, tc, drop' },
    { question: 'nobody.example.org A', want: 'NXDOMAIN, NXDOMAIN, drop, tc, drop, tc, drop' },
    { question: 'x.sub.example.org A', want: 'NOERROR, NOERROR, drop, tc, drop, tc, drop' },
    { question: 'www.example.net A', want: 'REFUSED, REFUSED, drop, REFUSED, drop, REFUSED, drop' },
  ])('holds for $question', ({ question, want }) => {
    const server = new Guarded(world, { rateLimit: limitOf() });
    expect(seven(server, question)).toBe(want);
  });

  it('lets nothing through that could be amplified', () => {
    const server = new Guarded(world, { rateLimit: limitOf({ slip: 1 }) });
    const packet = packetOf('big.example.org TXT', { edns: 'yes' });
    const sizes = Array.from({ length: 4 }, () => server.send(packet, {}).octets);
    expect(sizes.map((octets) => octets > packet.length)).toEqual([true, true, false, false]);
  });

  it('is no way around by names that a wildcard has without end, nor by types of a CNAME', () => {
    const server = new Guarded(world, { rateLimit: limitOf({ slip: 0 }) });
    const ask = (questions: readonly string[]): string =>
      questions.map((question) => brief(server.ask(question))).join(', ');
    expect(ask(['a.any', 'b.any', 'c.any'].map((owner) => `${owner}.example.org TXT`))).toBe(
      'NOERROR 1, NOERROR 1, drop',
    );
    expect(ask(['a', 'b', 'c'].map((owner) => `${owner}.nothing.example.org A`))).toBe(
      'NXDOMAIN, NXDOMAIN, drop',
    );
    expect(
      ask(['a.alias MX', 'b.alias TXT', 'c.alias SRV'].map((text) => text.replace(' ', '.example.org '))),
    ).toBe('NOERROR 1, NOERROR 1, drop');
  });

  it('counts each prefix and each answer apart, and starts anew in the next second', () => {
    const server = new Guarded(world, { rateLimit: limitOf({ slip: 0 }) });
    const three = (question: string, asking: Asking = {}): string =>
      Array.from({ length: 3 }, () => brief(server.ask(question, asking))).join(' ');
    expect(three('www.example.org A')).toBe('NOERROR 1 NOERROR 1 drop');
    expect(three('www.example.org AAAA')).toBe('NOERROR 1 NOERROR 1 drop');
    expect(three('www.example.org A', { from: '192.0.2.200' })).toBe('drop drop drop');
    expect(three('www.example.org A', { from: '198.51.100.7' })).toBe('NOERROR 1 NOERROR 1 drop');
    server.pass(16);
    expect(three('www.example.org A')).toBe('NOERROR 1 NOERROR 1 drop');
  });

  it('does not hold over TCP, for a valid cookie, or for who is exempt', () => {
    const server = new Guarded(world, { rateLimit: limitOf({ exempt: ['198.51.100.0/24'] }) });
    const all = Array.from({ length: 7 }, () => 'NOERROR 1').join(', ');
    expect(seven(server, 'www.example.org A', { transport: 'tcp' })).toBe(all);
    expect(seven(server, 'www.example.org A', { cookie: learned(server) })).toBe(all);
    expect(seven(server, 'www.example.org A', { from: '198.51.100.1' })).toBe(all);
  });

  it('gives who has cookies a cookie instead of TC, and no answer until it comes back with it', () => {
    const server = new Guarded(world, { rateLimit: limitOf() });
    const cookies = ['NOERROR 1', 'NOERROR 1', 'drop', 'BADCOOKIE', 'drop', 'BADCOOKIE', 'drop'];
    expect(seven(server, 'www.example.org A', { cookie: clientCookie })).toBe(cookies.join(', '));
    server.ask('www.example.org A', { cookie: clientCookie });
    const { decision } = server.scratch;
    expect([decision.outcome, decision.rcode, decision.limited, decision.dataCenter]).toEqual([
      'badcookie',
      23,
      'slip',
      -1,
    ]);
    expect(brief(server.ask('www.example.org A', { cookie: learned(server) }))).toBe('NOERROR 1');
  });

  it('tells the decision what it did', () => {
    const server = new Guarded(world, { rateLimit: limitOf() });
    const told = Array.from({ length: 4 }, () => {
      server.ask('app.example.org A');
      const { outcome, limited, truncated, dataCenter } = server.scratch.decision;
      return [outcome, limited, truncated, dataCenter >= 0].join(' ');
    });
    expect(told).toEqual([
      'answer none false true',
      'answer none false true',
      'dropped drop false false',
      'answer slip true false',
    ]);
  });
});

describe('the access list', () => {
  const access = { deny: ['192.0.2.0/24', '2001:db8::/32'], allow: ['192.0.2.77/32'] };
  it.each([
    { from: '192.0.2.1', denied: 'drop' as const, want: 'drop' },
    { from: '192.0.2.1', denied: 'refuse' as const, want: 'REFUSED' },
    { from: '192.0.2.77', denied: 'drop' as const, want: 'NOERROR 1' },
    { from: '198.51.100.1', denied: 'drop' as const, want: 'NOERROR 1' },
    { from: '2001:db8::1', denied: 'drop' as const, want: 'drop' },
    { from: '2001:db9::1', denied: 'drop' as const, want: 'NOERROR 1' },
  ])('$denied: $from gets $want', ({ from, denied, want }) => {
    const server = new Guarded(world, { access: { ...access, denied } });
    for (const transport of ['udp', 'tcp'] as const)
      expect(brief(server.send(packetOf('www.example.org A', {}), { from, transport }))).toBe(want);
    expect(server.scratch.decision.access).toBe(want.startsWith('NOERROR') ? 'admitted' : 'denied');
  });
});

describe('with everything on', () => {
  it('gives any octets a value, and never more than the limit', () => {
    const server = new Guarded(world, {
      cookies: { enabled: true, required: true },
      rateLimit: limitOf({ responsesPerSecond: 1 }),
      access: { deny: ['203.0.113.0/24'], allow: [], denied: 'refuse' },
      maxUdpAnswerOctets: 512,
    });
    const packet = packetOf('www.example.org A', { cookie: `${clientCookie}${'01'.repeat(16)}` });
    const changes = fc.array(fc.tuple(fc.nat(packet.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(
        changes,
        fc.nat(packet.length),
        fc.constantFrom('192.0.2.1', '203.0.113.1', '2001:db8::1'),
        (list, cut, from) => {
          const changed = packet.slice(0, cut < 12 ? packet.length : cut);
          for (const [at, octet] of list) if (at < changed.length) changed[at] = octet;
          server.pass(1);
          return server.send(changed, { from }).octets <= 512;
        },
      ),
      { numRuns: 2000 },
    );
  });
});
