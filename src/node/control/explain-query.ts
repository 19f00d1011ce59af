import type { Decision } from '../../answer/decision.ts';
import {
  type AnswerScratch,
  createAnswerScratch,
  respond,
  type SenderAddress,
} from '../../answer/respond.ts';
import type { ExplainQuestion } from '../../api/control-plane.ts';
import { normalise, parseAddress, parsePrefix } from '../../dns/address.ts';
import { encodeQuery } from '../../dns/message.ts';
import { parseName } from '../../dns/name.ts';
import { MAX_MESSAGE_LENGTH } from '../../dns/query.ts';
import { parseType } from '../../dns/type.ts';
import type { ClientLocation } from '../../geo/location.ts';
import { type GeoTable, locateClient } from '../../geo/table.ts';
import { createRandomSource } from '../../server/random.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

/** Runs real queries through `respond` on the control plane's own snapshot. */
export class QueryExplainer {
  readonly #scratch: AnswerScratch = createAnswerScratch(createRandomSource());
  /** Of TCP's size: what people ask about is shown whole. */
  readonly #response = new Uint8Array(MAX_MESSAGE_LENGTH);

  /** The decision is overwritten by the next call. Throws on a question that does not parse: the API checks it. */
  ask(
    snapshot: Snapshot,
    table: GeoTable,
    question: ExplainQuestion,
  ): {
    readonly decision: Decision;
    readonly response: Uint8Array;
    readonly location: ClientLocation | undefined;
  } {
    const query = encode(question);
    const length = respond(
      this.#scratch,
      snapshot,
      query,
      query.length,
      resolverOf(question),
      'tcp',
      this.#response,
    );
    const { decision } = this.#scratch;
    const { clientFamily } = decision;
    const location =
      clientFamily === 0 ? undefined : locateClient(table, clientFamily, decision.clientAddress);
    return { decision, response: this.#response.slice(0, length), location };
  }
}

function encode({ name, type, client }: ExplainQuestion): Uint8Array {
  const wire = parseName(name);
  const code = parseType(type);
  if (!wire.ok || code === undefined) throw new Error(`not a question: ${name} ${type}`);
  return encodeQuery({
    name: wire.value,
    type: code,
    recursionDesired: false,
    ...(client === undefined
      ? {}
      : { edns: { payloadSize: 1232, dnssecOk: false, clientSubnet: subnetOf(client) } }),
  });
}

/** An address is sent whole, as a resolver on the client's own machine would. */
function subnetOf(client: string): { family: 4 | 6; octets: Uint8Array; sourcePrefixLength: number } {
  const prefix = parsePrefix(client);
  if (prefix !== undefined)
    return { family: prefix.family, octets: prefix.octets, sourcePrefixLength: prefix.length };
  const address = parseAddress(client);
  if (address === undefined) throw new Error(`not an address: ${client}`);
  const { family, octets } = normalise(address);
  return { family, octets, sourcePrefixLength: octets.length * 8 };
}

function resolverOf({ resolver }: ExplainQuestion): SenderAddress {
  const address = parseAddress(resolver);
  if (address === undefined) throw new Error(`not an address: ${resolver}`);
  const { family, octets } = normalise(address);
  return { family, octets };
}
