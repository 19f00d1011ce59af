import { describe, expect, it } from 'vitest';
import { parseProtection } from '../../src/config/protection-schema.ts';
import { defaultProtection } from '../../src/protection/settings.ts';

/** The settings, or the problems as `path: message` lines. */
function parse(value: unknown): unknown {
  const settings = parseProtection(value);
  return settings.ok ? settings.value : settings.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe('a protection file', () => {
  it.each([null, undefined, {}, { cookies: {} }])('has the defaults where it says nothing: %j', (value) => {
    expect(parse(value)).toEqual(defaultProtection);
  });

  it('has defaults in every part', () => {
    expect(parse({ rateLimit: { responsesPerSecond: 200 }, access: { deny: ['192.0.2.0/24'] } })).toEqual({
      ...defaultProtection,
      rateLimit: {
        responsesPerSecond: 200,
        windowSeconds: 15,
        slip: 2,
        ipv4PrefixLength: 24,
        ipv6PrefixLength: 56,
        exempt: [],
      },
      access: { allow: [], deny: ['192.0.2.0/24'], denied: 'drop' },
    });
  });

  it('tells all mistakes at once, with their places', () => {
    expect(
      parse({
        cookies: { enable: true },
        rateLimit: { slip: 11, exempt: ['192.0.2.1/24'] },
        access: { allow: ['192.0.2.0/24'], deny: ['192.0.2.0/24'] },
        maxUdpAnswerOctets: 4096,
      }),
    ).toEqual([
      'cookies/enable: "enable" is not a field here.',
      'rateLimit/responsesPerSecond: "responsesPerSecond" is missing.',
      'rateLimit/slip: "slip" must be at most 10.',
      'rateLimit/exempt/0: Item 1 of "exempt" must be an IPv4 or IPv6 prefix such as 192.0.2.0/24, with no bits set past its length.',
      'access/allow/0: 192.0.2.0/24 is in "deny" as well.',
      'maxUdpAnswerOctets: "maxUdpAnswerOctets" must be at most 1232.',
    ]);
  });

  it('does not take an allow list for one that denies all others', () => {
    expect(parse({ access: { allow: ['192.0.2.0/24'] } })).toEqual([
      'access/allow: "allow" has no effect without "deny", from which it makes exceptions; to serve these only, deny 0.0.0.0/0 and ::/0.',
    ]);
  });
});
