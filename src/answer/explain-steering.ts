import type { Config } from '../config/model.ts';
import type { Pool } from '../config/resources/pool.ts';
import type { SteeredName } from '../config/resources/steered-name.ts';
import { distanceKm, pointOf } from '../geo/distance.ts';
import { type Coordinates, NOWHERE } from '../geo/location.ts';
import { addressNumber } from '../geo/prefix.ts';
import type { EndpointHealth } from '../health/endpoint-health.ts';
import { fillMeasured } from '../steering/fill-measured.ts';
import { figuresOfGroups, groupsOfClient } from '../steering/measured.ts';
import type { Candidate, PolicyNode } from '../steering/policy.ts';
import { heldPrefixes, prefixRulesOf } from '../steering/prefix-rules.ts';
import { describeRanking } from '../steering/rank.ts';
import { resolvePolicy } from '../steering/resolve-policy.ts';
import type { Decision } from './decision.ts';

import type { ExplainedDataCenter, ExplainedEndpoint, ExplainedStep, ExplainInput } from './explanation.ts';

/** How a steered name came to its data center. */
export interface ExplainedSteering {
  /** Key of the steered name. */
  readonly name: string;
  readonly steps: readonly ExplainedStep[];
  readonly dataCenters: readonly ExplainedDataCenter[];
}

/** Tells rank, check and choose; undefined for an answer that was not steered. */
export function explainSteering(
  input: ExplainInput,
  name: string | undefined,
): ExplainedSteering | undefined {
  const steered = name === undefined ? undefined : input.config.steeredNames.get(name)?.value;
  const pool = steered === undefined ? undefined : input.config.pools.get(steered.pool)?.value;
  if (name === undefined || steered === undefined || pool === undefined) return undefined;
  const dataCenters = dataCentersOf(input, pool);
  const { type } = input.question;
  // Nobody is located where the answer is the same for every client.
  const located = input.decision.clientFamily !== 0;
  const steps = [
    ...(located ? [...policySteps(input, steered, pool), candidatesStep(dataCenters, type)] : []),
    choiceStep(input, steered, dataCenters, type),
  ];
  return { name, steps, dataCenters };
}

function policySteps(input: ExplainInput, steered: SteeredName, pool: Pool): readonly ExplainedStep[] {
  const { config, location, decision } = input;
  const policies = new Map([...config.policies].map(([key, { value }]) => [key, value.rank]));
  const node = resolvePolicy(steered.policy, policies);
  if (!node.ok) {
    const messages = node.problems.map(({ message }) => message);
    return [{ step: 'policy', text: messages.join(' '), details: { policy: steered.policy } }];
  }
  const tree = withMeasured(node.value, input);
  const client = { ...(location ?? NOWHERE), prefixes: prefixesHolding(tree, decision) };
  return describeRanking(tree, client, candidatesOf(config, pool)).map((ranking, at) => ({
    step: 'policy',
    text: `Policy ${steered.policy}, step ${at + 1}: ${ranking.detail}.`,
    details: { policy: steered.policy, ...ranking },
  }));
}

/** The tree as its map was compiled, as far as this client is concerned: there may be thousands of other prefixes. */
function withMeasured(node: PolicyNode, { measured, decision, location }: ExplainInput): PolicyNode {
  const { clientFamily, clientAddress } = decision;
  if (measured === undefined || clientFamily === 0) return node;
  const groups = groupsOfClient(clientFamily, clientAddress, location ?? NOWHERE);
  return fillMeasured(node, figuresOfGroups(measured, groups));
}

/** The prefixes of the policy's rules that hold the client, longest first. */
function prefixesHolding(node: PolicyNode, { clientFamily, clientAddress }: Decision): readonly string[] {
  if (clientFamily === 0) return [];
  return heldPrefixes(prefixRulesOf(node, clientFamily), addressNumber(clientFamily, clientAddress));
}

function candidatesOf(config: Config, pool: Pool): readonly Candidate[] {
  return namesOf(pool).flatMap((name, index) => {
    const place = config.dataCenters.get(name)?.value;
    return place === undefined ? [] : [{ index, name, latitude: place.latitude, longitude: place.longitude }];
  });
}

function namesOf(pool: Pool): readonly string[] {
  return [...new Set(pool.endpoints.map((endpoint) => endpoint.dataCenter))].sort();
}

/** All data centers of the pool: those of the client's order, best first, then those that the policy leaves out. */
function dataCentersOf(input: ExplainInput, pool: Pool): readonly ExplainedDataCenter[] {
  const { decision, dataCenterName } = input;
  const ranks = new Map<string, number>();
  for (const index of decision.order.subarray(0, decision.orderLength)) {
    ranks.set(dataCenterName(index), ranks.size + 1);
  }
  const chosen = decision.dataCenter < 0 ? undefined : dataCenterName(decision.dataCenter);
  const endpoints = endpointsOf(input, pool);
  return namesOf(pool)
    .map((name): ExplainedDataCenter => {
      const rank = ranks.get(name);
      const distance = distanceTo(input, name);
      return {
        name,
        ...(distance === undefined ? {} : { distanceKm: distance }),
        ...(rank === undefined ? {} : { rank }),
        chosen: name === chosen,
        endpoints: endpoints.get(name) ?? [],
      };
    })
    .sort(
      (one, other) => (one.rank ?? Infinity) - (other.rank ?? Infinity) || (one.name < other.name ? -1 : 1),
    );
}

function distanceTo({ config, location }: ExplainInput, name: string): number | undefined {
  const place: Coordinates | undefined = config.dataCenters.get(name)?.value;
  const client = location?.coordinates;
  if (place === undefined || client === undefined) return undefined;
  return distanceKm(pointOf(client.latitude, client.longitude), pointOf(place.latitude, place.longitude));
}

/** The pool's endpoints by data center. */
function endpointsOf(input: ExplainInput, pool: Pool): ReadonlyMap<string, readonly ExplainedEndpoint[]> {
  const { decision, endpointName, question } = input;
  const answered = new Set(
    Array.from(decision.endpointSlots.subarray(0, decision.endpointCount), (slot) => endpointName(slot)),
  );
  const ofPool = input.health.filter((health) => health.pool === pool.name);
  const byDataCenter = Map.groupBy(ofPool, (health) => health.dataCenter);
  return new Map(
    [...byDataCenter].map(([name, healths]) => [
      name,
      healths.map((health) => endpointOf(health, question.type, answered)),
    ]),
  );
}

function endpointOf(health: EndpointHealth, type: string, answered: ReadonlySet<string>): ExplainedEndpoint {
  const { key, address, verdict, since, reason, lastResult } = health;
  return {
    key,
    address,
    verdict,
    since,
    reason,
    ...(lastResult === undefined ? {} : { lastResult }),
    fits: fits(address, type),
    answered: answered.has(key),
  };
}

/** A canonical name answers every type, as a CNAME; an address only its own. */
function fits(address: string, type: string): boolean {
  if (address.includes(':')) return type === 'AAAA';
  if (/^[\d.]+$/.test(address)) return type === 'A';
  return true;
}

function candidatesStep(dataCenters: readonly ExplainedDataCenter[], type: string): ExplainedStep {
  const ranked = dataCenters.filter((dataCenter) => dataCenter.rank !== undefined);
  const details = {
    order: ranked.map(({ name }) => name),
    leftOut: dataCenters.filter((dataCenter) => dataCenter.rank === undefined).map(({ name }) => name),
  };
  if (ranked.length === 0) {
    return { step: 'candidates', text: 'The policy names no data center for this client.', details };
  }
  const told = ranked.map((dataCenter) => {
    const km = dataCenter.distanceKm === undefined ? '' : ` at ${Math.round(dataCenter.distanceKm)} km`;
    return `${dataCenter.name}${km} (${verdictsText(dataCenter, type)})`;
  });
  return { step: 'candidates', text: `The order for this client is ${told.join(', ')}.`, details };
}

/** `up`, or `1 up, 2 down`, over the endpoints that could answer. */
function verdictsText({ endpoints }: ExplainedDataCenter, type: string): string {
  const counts = Map.groupBy(
    endpoints.filter((endpoint) => endpoint.fits),
    (endpoint) => endpoint.verdict,
  );
  const [only, ...others] = counts.keys();
  if (only === undefined) return `nothing of type ${type}`;
  if (others.length === 0) return only;
  return [...counts].map(([verdict, of]) => `${of.length} ${verdict}`).join(', ');
}

function choiceStep(
  { decision, dataCenterName }: ExplainInput,
  steered: SteeredName,
  dataCenters: readonly ExplainedDataCenter[],
  type: string,
): ExplainedStep {
  const chosen = dataCenters.find((dataCenter) => dataCenter.chosen);
  const passed = dataCenters.filter(
    ({ rank }) => rank !== undefined && chosen?.rank !== undefined && rank < chosen.rank,
  );
  const passedOn = new Set(
    Array.from(decision.passedOn.subarray(0, decision.passedOnCount), (number) => dataCenterName(number)),
  );
  const details = {
    tier: decision.tier,
    dataCenter: chosen?.name ?? null,
    passedOver: passed.map(({ name }) => name),
    spill: { effect: decision.spill, passedOnBy: [...passedOn] },
    allDown: steered.allDown,
  };
  const text =
    chosen === undefined
      ? noChoiceText(decision, steered, dataCenters, type)
      : `${chosen.name} is chosen${passedText(passed, passedOn, type)}: ${tierTexts[decision.tier]}${spillTexts[decision.spill]}.`;
  return { step: 'choice', text, details };
}

function passedText(
  passed: readonly ExplainedDataCenter[],
  passedOn: ReadonlySet<string>,
  type: string,
): string {
  if (passed.length === 0) return '';
  const told = passed.map((dataCenter) => {
    const why = passedOn.has(dataCenter.name) ? ', but passes this client on' : '';
    return `${dataCenter.name} (${verdictsText(dataCenter, type)}${why})`;
  });
  return `, past ${told.join(', ')}`;
}

/** What spills had to do with it. */
const spillTexts: Readonly<Record<Decision['spill'], string>> = {
  none: '',
  kept: ', and it keeps this client, though it passes some on',
  'passed-on': ' and no need to pass this client on',
  ignored: '; every data center of the order would pass this client on, so that the spills do not count',
};

/** Why a data center is chosen, by the tier that it was found in. */
const tierTexts: Readonly<Record<Decision['tier'], string>> = {
  up: 'it is the first of the order with an endpoint that is up',
  unknown: 'nothing is up, and it is the first of the order with an endpoint that no probe has judged yet',
  'fail-open': 'nothing is up, and the name then fails open and answers as if all were',
  'last-known': 'nothing is up, and it was when last anything was',
  fallback: 'nothing is up',
  none: 'its endpoints are what the pool has',
};

function noChoiceText(
  { tier, outcome }: Decision,
  { allDown, pool }: SteeredName,
  dataCenters: readonly ExplainedDataCenter[],
  type: string,
): string {
  const none = 'No data center is chosen';
  if (tier === 'fallback')
    return `${none}: nothing is up, and the fallback addresses of the name are answered.`;
  if (!dataCenters.some(({ endpoints }) => endpoints.some((endpoint) => endpoint.fits))) {
    return `${none}: the pool ${pool} has no endpoint for type ${type}.`;
  }
  if (dataCenters.every(({ rank }) => rank === undefined)) {
    return `${none}: the policy names none for this client.`;
  }
  return `${none}: nothing is up, and the name then answers ${allDown} (${outcome}).`;
}
