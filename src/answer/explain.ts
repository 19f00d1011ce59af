import { closestZone, parentName } from '../config/closest-zone.ts';
import { endpointKey } from '../config/resources/pool.ts';
import { clearPast, formatAddress, formatPrefix, parseAddress, parsePrefix } from '../dns/address.ts';
import { decodeMessage, type Message, type MessageRecord } from '../dns/message.ts';
import { formatName, lowercaseName } from '../dns/name.ts';
import { formatType, TYPE_CNAME } from '../dns/type.ts';
import type { ClientLocation } from '../geo/location.ts';
import { clientScope } from './client.ts';
import type { Decision } from './decision.ts';
import { explainSteering } from './explain-steering.ts';
import type {
  ExplainedAnswer,
  ExplainedClient,
  ExplainedLocation,
  ExplainedQuestion,
  ExplainedStep,
  ExplainInput,
  Explanation,
} from './explanation.ts';

export type * from './explanation.ts';

/** Tells a decision step by step. It decides nothing itself: where it and the answer differ, it is wrong. */
export function explain(input: ExplainInput): Explanation {
  const { question, decision, attribution } = input;
  const message = decodeMessage(input.response);
  const answers = message.ok ? message.value.answers : [];
  const owners = ownersOf(question.name, answers);
  const client = clientOf(input);
  const steering = explainSteering(input, steeredNameOf(input, owners));
  const answer = answerOf(input, message.ok ? message.value : undefined);
  return {
    question,
    client,
    steps: [
      zoneStep(input),
      lookupStep(input, owners, steering?.name),
      ...(steering === undefined ? [] : [clientStep(client, decision), ...steering.steps]),
      answerStep(question, answer),
    ],
    dataCenters: steering?.dataCenters ?? [],
    answer,
    attribution,
  };
}

/** The names that the answer leads through: the question's, then the targets of CNAME records. */
function ownersOf(name: string, answers: readonly MessageRecord[]): readonly string[] {
  const owners = [name];
  for (const record of answers) {
    if (record.type === TYPE_CNAME) owners.push(formatName(lowercaseName(record.rdata)));
  }
  return owners;
}

/**
 * Key of the steered name that was answered: the last on the way whose pool has what was answered. A target behind it
 * may have records of its own below a steered wildcard, which then had no part in the answer.
 */
function steeredNameOf(input: ExplainInput, owners: readonly string[]): string | undefined {
  const { config, decision, endpointName } = input;
  if (decision.steered < 0) return undefined;
  const answered = decision.endpointCount > 0 ? endpointName(decision.endpointSlots[0] ?? 0) : undefined;
  for (const owner of owners.toReversed()) {
    for (let name: string | undefined = owner; name !== undefined; name = parentName(name)) {
      const key = name === owner ? owner : `*.${name}`;
      const pool = config.steeredNames.get(key)?.value.pool;
      if (pool !== undefined && (answered === undefined || answered.startsWith(endpointKey(pool, ''))))
        return key;
    }
  }
  return undefined;
}

function zoneStep({ question, decision, config }: ExplainInput): ExplainedStep {
  const { name } = question;
  const apex =
    decision.zone < 0
      ? undefined
      : closestZone(name.toLowerCase(), (candidate) => config.zones.has(candidate));
  if (apex === undefined) {
    return { step: 'zone', text: `No zone of this server holds ${name}.`, details: { zone: null } };
  }
  return { step: 'zone', text: `${name} lies in the zone ${apex}`, details: { zone: apex } };
}

function lookupStep(
  { question, decision, config }: ExplainInput,
  owners: readonly string[],
  steered: string | undefined,
): ExplainedStep {
  const led =
    decision.cnameSteps === 0 ? '' : ` through CNAME records by way of ${owners.slice(1).join(', ')}`;
  const { name, type } = question;
  const stored = steered === undefined ? undefined : config.steeredNames.get(steered)?.value;
  if (stored !== undefined) {
    const how =
      stored.name === name
        ? `${name} is a steered name`
        : `${name} leads${led} to the steered name ${stored.name}`;
    const text = `${how}, with pool ${stored.pool} and policy ${stored.policy}.`;
    const details = { owners, steeredName: stored.name, pool: stored.pool, policy: stored.policy };
    return { step: 'lookup', text, details };
  }
  return { step: 'lookup', text: lookupText(decision, name, type, led), details: { owners } };
}

function lookupText({ outcome }: Decision, name: string, type: string, led: string): string {
  switch (outcome) {
    case 'answer':
      return `${name} has records of type ${type}${led}, the same for every client.`;
    case 'nodata':
      return `${name} exists${led}, but has no records of type ${type}.`;
    case 'nxdomain':
      return `The zone has no such name${led}.`;
    case 'delegation':
      return `${name} lies below a zone cut${led}: other name servers answer for it.`;
    case 'refused':
      return 'Nothing is looked up outside our zones.';
    case 'formerr':
    case 'notimp':
    case 'badvers':
    case 'cookie':
    case 'badcookie':
    case 'servfail':
    case 'dropped':
      return `The query cannot be answered (${outcome}).`;
  }
}

function clientOf({ decision, location }: ExplainInput): ExplainedClient {
  const { clientFamily, clientSource, sourcePrefixLength } = decision;
  if (clientFamily === 0) return { source: clientSource };
  const octets = decision.clientAddress.slice(0, clientFamily === 4 ? 4 : 16);
  return {
    address: formatAddress(octets),
    prefix: formatPrefix(octets, sourcePrefixLength),
    source: clientSource,
    ...(location === undefined ? {} : { location: locationOf(location) }),
  };
}

function locationOf(location: ClientLocation): ExplainedLocation {
  const { country, subdivision, continent, asn, coordinates } = location;
  return { country, subdivision, continent, asn, ...(coordinates === undefined ? {} : { coordinates }) };
}

function clientStep(client: ExplainedClient, decision: Decision): ExplainedStep {
  const details = { ...client, mapPrefixLength: decision.mapPrefixLength };
  if (client.source === 'none' || client.prefix === undefined) {
    return { step: 'client', text: 'No address of the client is known, or needed.', details };
  }
  const from =
    client.source === 'client-subnet'
      ? `The client is in ${client.prefix}, from the client subnet of the query`
      : `The query tells no client subnet, so that its sender ${client.address} stands for the client`;
  return { step: 'client', text: `${from}; ${placeText(client.location)}.`, details };
}

function placeText(location: ExplainedLocation | undefined): string {
  if (location === undefined) return 'its place does not matter to the answer';
  const { country, subdivision, continent, coordinates, asn } = location;
  const region = [subdivision, country, continent].filter((part) => part !== '').join(', ');
  if (region === '' && coordinates === undefined) return 'the geo table does not know its place';
  const point =
    coordinates === undefined
      ? ''
      : ` at latitude ${coordinates.latitude.toFixed(2)}, longitude ${coordinates.longitude.toFixed(2)}`;
  const network = asn === 0 ? '' : ` (AS${asn})`;
  return `the geo table puts it in ${region === '' ? 'an unnamed region' : region}${point}${network}`;
}

function answerOf({ question, decision }: ExplainInput, message: Message | undefined): ExplainedAnswer {
  const scope = scopeOf(question, decision);
  return {
    outcome: decision.outcome,
    rcode: formatRcode(decision.rcode),
    tier: decision.tier,
    records: (message?.answers ?? []).map(formatRecord),
    ttlSeconds: decision.ttlSeconds,
    ...(scope === undefined ? {} : { scope }),
  };
}

function formatRecord({ owner, ttlSeconds, type, text }: MessageRecord): string {
  return `${formatName(owner)} ${ttlSeconds} IN ${formatType(type)} ${text}`;
}

/** The clients that the answer holds for: as many bits of the client's address as the scope says. */
function scopeOf(question: ExplainedQuestion, decision: Decision): string | undefined {
  const { scopePrefixLength, clientFamily } = decision;
  if (scopePrefixLength < 0) return undefined;
  if (clientFamily !== 0) {
    const octets = decision.clientAddress.slice(0, clientFamily === 4 ? 4 : 16);
    const length = clientScope(decision);
    return formatPrefix(clearPast(octets, length), length);
  }
  // The answer did not need the client's address, but the query told one.
  const sent = question.client ?? '';
  const octets = (parsePrefix(sent) ?? parseAddress(sent))?.octets;
  return octets && formatPrefix(clearPast(octets, scopePrefixLength), scopePrefixLength);
}

function answerStep({ type }: ExplainedQuestion, answer: ExplainedAnswer): ExplainedStep {
  const { rcode, records, ttlSeconds, scope, outcome } = answer;
  const details = { rcode, outcome, records, ttlSeconds, scope: scope ?? null };
  if (outcome === 'dropped') return { step: 'answer', text: 'Nothing is answered.', details };
  const holds = scope === undefined ? '' : `, for all clients in ${scope}`;
  if (records.length === 0) {
    const text =
      outcome === 'nodata'
        ? `The answer is ${rcode} without a record of type ${type}${holds}.`
        : `The answer is ${rcode} without a record${holds}.`;
    return { step: 'answer', text, details };
  }
  const count = records.length === 1 ? '1 record' : `${records.length} records`;
  return {
    step: 'answer',
    text: `The answer is ${rcode} with ${count}, to be kept ${ttlSeconds} s${holds}.`,
    details,
  };
}

/** RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 6891 section 9. */
const rcodeMnemonics: Readonly<Record<number, string>> = {
  0: 'NOERROR',
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
  9: 'NOTAUTH',
  16: 'BADVERS',
};

function formatRcode(rcode: number): string {
  return rcodeMnemonics[rcode] ?? `RCODE${rcode}`;
}
