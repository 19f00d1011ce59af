import { z } from 'zod';
import type { ClientLocation } from '../../geo/location.ts';
import { parseExactPrefix } from '../../geo/prefix.ts';
import { MAX_POLICY_CHILDREN, MAX_RULE_VALUES } from '../limits.ts';
import type { PolicyKind, PolicyNode } from '../policy.ts';

/** Picks a child by what is known of the client; the most specific match of all rules wins. */
export interface GeoNode extends PolicyNode {
  readonly kind: 'geo';
  readonly rules: readonly GeoRule[];
  /** For clients that no rule matches; without it they get nothing. */
  readonly otherwise?: PolicyNode | undefined;
}

export interface GeoRule {
  readonly match: GeoMatch;
  readonly then: PolicyNode;
}

/** A rule matches a client for any one of these. */
export interface GeoMatch {
  readonly prefixes?: readonly string[] | undefined;
  readonly asns?: readonly number[] | undefined;
  /** Country and region: `US-CA`, or the table's own name of the region: `DE-Hesse`. */
  readonly subdivisions?: readonly string[] | undefined;
  readonly countries?: readonly string[] | undefined;
  readonly continents?: readonly string[] | undefined;
}

export const continentCodes = ['AF', 'AN', 'AS', 'EU', 'NA', 'OC', 'SA'] as const;

const prefix = z.string().refine((text) => parseExactPrefix(text) !== undefined, {
  error: 'must be an IPv4 or IPv6 prefix such as 192.0.2.0/24, with no bits set past its length',
});

/** AS numbers have 32 bits (RFC 6793); 0 is reserved (RFC 7607). */
const asn = z
  .int()
  .min(1)
  .max(2 ** 32 - 1);

const subdivision = z.string().regex(/^[A-Z]{2}-.{1,60}$/, 'must be a country and a region, such as US-CA');

const country = z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code of two upper case letters');

const geoMatch = z
  .strictObject({
    prefixes: z.array(prefix).min(1).max(MAX_RULE_VALUES).optional(),
    asns: z.array(asn).min(1).max(MAX_RULE_VALUES).optional(),
    subdivisions: z.array(subdivision).min(1).max(MAX_RULE_VALUES).optional(),
    countries: z.array(country).min(1).max(MAX_RULE_VALUES).optional(),
    continents: z.array(z.enum(continentCodes)).min(1).max(continentCodes.length).optional(),
  })
  .refine((match) => Object.keys(match).length > 0, {
    error: 'must name at least one of prefixes, asns, subdivisions, countries and continents',
  });

export const geo: PolicyKind<GeoNode> = {
  kind: 'geo',
  summary:
    'Picks a child by prefix, AS number, subdivision, country or continent; the most specific match wins.',
  schema: (child) =>
    z
      .strictObject({
        kind: z.literal('geo'),
        rules: z
          // biome-ignore lint/suspicious/noThenProperty: the word reads best, and its value is never a function
          .array(z.strictObject({ match: geoMatch, then: child }))
          .min(1)
          .max(MAX_POLICY_CHILDREN),
        otherwise: child.optional(),
      })
      .meta({ id: 'GeoPolicy' }),
  children: (node) => [
    ...node.rules.map((rule) => rule.then),
    ...(node.otherwise === undefined ? [] : [node.otherwise]),
  ],
  withChildren: (node, children) => ({
    ...node,
    // biome-ignore lint/suspicious/noThenProperty: as in the schema
    rules: node.rules.map((rule, at) => ({ ...rule, then: children[at] ?? rule.then })),
    ...(node.otherwise === undefined ? {} : { otherwise: children[node.rules.length] ?? node.otherwise }),
  }),
  dataCenters: () => [],
  prefixes: (node) => node.rules.flatMap((rule) => rule.match.prefixes ?? []),
  rank: (node, client, context) => {
    const matched = matchRule(node, client);
    if (matched !== undefined) {
      context.trace?.({ kind: 'geo', detail: `rule ${matched.number} matches by ${matched.reason}` });
      return context.rank(matched.rule.then, client);
    }
    const detail =
      node.otherwise === undefined
        ? 'no rule matches and there is no otherwise: no data center'
        : 'no rule matches: otherwise';
    context.trace?.({ kind: 'geo', detail });
    if (node.otherwise === undefined) return { kind: 'sequence', parts: [] };
    return context.rank(node.otherwise, client);
  },
};

interface MatchedRule {
  readonly rule: GeoRule;
  /** From 1, as people count. */
  readonly number: number;
  readonly reason: string;
}

/** Most specific first over all rules; among equals the first rule. */
function matchRule(node: GeoNode, client: ClientLocation): MatchedRule | undefined {
  const by = (reason: string, matches: (match: GeoMatch) => boolean | undefined): MatchedRule | undefined => {
    const at = node.rules.findIndex((rule) => matches(rule.match));
    const rule = node.rules[at];
    return rule === undefined ? undefined : { rule, number: at + 1, reason };
  };
  for (const held of client.prefixes) {
    const matched = by(`prefix ${held}`, (match) => match.prefixes?.includes(held));
    if (matched !== undefined) return matched;
  }
  const { asn: clientAsn, country: inCountry, continent } = client;
  const region = `${inCountry}-${client.subdivision}`;
  return (
    (clientAsn === 0 ? undefined : by(`AS${clientAsn}`, (match) => match.asns?.includes(clientAsn))) ??
    (client.subdivision === ''
      ? undefined
      : by(`subdivision ${region}`, (match) => match.subdivisions?.includes(region))) ??
    by(`country ${inCountry}`, (match) => match.countries?.includes(inCountry)) ??
    by(`continent ${continent}`, (match) => match.continents?.some((code) => code === continent))
  );
}
