import { createDecision, type Decision } from '../../src/answer/decision.ts';
import { createAnswerScratch } from '../../src/answer/scratch.ts';
import { parsePrefix } from '../../src/dns/address.ts';
import { encodeQuery } from '../../src/dns/message.ts';
import { parseType } from '../../src/dns/type.ts';
import { createCounters, openCounters } from '../../src/observe/counters.ts';
import type { NamedSample } from '../../src/observe/samples/named-sample.ts';
import type { Sample } from '../../src/observe/samples/sample.ts';
import { createSampleRing } from '../../src/observe/samples/sample-ring.ts';
import { Sampler } from '../../src/observe/samples/sampler.ts';
import { addressOctets, seededRandom, name as wire } from '../answer/world.ts';

/** A sample in short; whatever is not given is that of a plain steered answer over UDP. */
export interface SampleText {
  readonly name?: string;
  readonly type?: string;
  readonly resolver?: string;
  /** A prefix; undefined for a client that was not located. */
  readonly client?: string | undefined;
  readonly dataCenter?: string | undefined;
  readonly steered?: boolean;
  readonly changes?: Partial<Sample>;
}

export function namedSample(text: SampleText = {}): NamedSample {
  const { name = 'www.example.org.', type = 'A', resolver = '192.0.2.1', steered = true } = text;
  const query = encodeQuery({
    name: wire(name),
    type: parseType(type) ?? 0,
    id: 7,
    recursionDesired: false,
  });
  const client = text.client === undefined ? undefined : parsePrefix(text.client);
  const sample: Sample = {
    timeMs: Date.UTC(2026, 0, 1, 12, 0, 0, 250),
    transport: 'udp',
    resolver: addressOctets(resolver),
    port: 5353,
    query,
    queryLength: query.length,
    response: query,
    responseLength: query.length,
    outcome: 'answer',
    rcode: 0,
    queryType: parseType(type) ?? 0,
    truncated: false,
    apex: wire('example.org'),
    lastName: new Uint8Array(),
    steered,
    dataCenter: text.dataCenter === undefined ? -1 : 0,
    clientSource: client === undefined ? 'none' : 'client-subnet',
    client: client?.octets ?? new Uint8Array(),
    sourcePrefixLength: client?.length ?? 0,
    mapPrefixLength: 0,
    scope: -1,
    weight: 1,
    ...text.changes,
  };
  return { sample, asked: name, name, dataCenter: text.dataCenter };
}

/** A sampler with all that it needs; `scratch` is what an answer would have left. */
export function testSampler(
  every: number,
  ringOctets: number,
  decision: Partial<Decision> = {},
): {
  readonly sampler: Sampler;
  readonly ring: SharedArrayBuffer;
  readonly counters: Float64Array;
  readonly scratch: ReturnType<typeof createAnswerScratch>;
} {
  const ring = createSampleRing(ringOctets);
  const counters = openCounters(createCounters());
  const random = seededRandom(11);
  const scratch = createAnswerScratch(random);
  Object.assign(scratch.decision, createDecision(), decision);
  const sampler = new Sampler({ every, ring }, counters, random);
  sampler.tick(1234.5);
  return { sampler, ring, counters, scratch };
}
