import { randomInt } from 'node:crypto';
import { z } from 'zod';
import { domainName } from '../../config/resources/fields.ts';
import type { Message } from '../../dns/message.ts';
import { parseName } from '../../dns/name.ts';
import { canonicalRdata, octetsEqual } from '../../dns/rdata/canonical.ts';
import { parseRdata, rdataKind } from '../../dns/rdata/index.ts';
import { CLASS_IN, formatType, isMetaType, parseType } from '../../dns/type.ts';
import { connect } from '../connection.ts';
import { connectDatagram } from '../datagram.ts';
import { askByTcp, askByUdp, type DnsQuestion } from '../dns-exchange.ts';
import type { ProbeKind } from '../probe.ts';
import { excerpt, type ProbeRun, runProbe } from '../probe-run.ts';

/** RFC 1035 section 4.2. */
const DEFAULT_PORT = 53;

/** Ids have 16 bits (RFC 1035 section 4.1.1). */
const ID_COUNT = 65_536;

/** RRsets with more records are rare, and a few of them say enough. */
const MAX_EXPECTED_ANSWERS = 32;
const MAX_ANSWER_LENGTH = 1024;

/** Rcodes by name (IANA "DNS RCODEs"); those that servers send to questions. */
const RCODES = { NOERROR: 0, FORMERR: 1, SERVFAIL: 2, NXDOMAIN: 3, NOTIMP: 4, REFUSED: 5, NOTAUTH: 9 };

const RCODE_NAMES: ReadonlyMap<number, string> = new Map(
  Object.entries(RCODES).map(([name, rcode]) => [rcode, name]),
);

const questionType = z.string().transform((text, context) => {
  const type = parseType(text);
  if (type !== undefined && !isMetaType(type)) return formatType(type);
  context.addIssue({ code: 'custom', message: 'must be a record type such as A, SOA or TYPE65400' });
  return z.NEVER;
});

const dnsSettings = z
  .strictObject({
    /** The name that is asked for. */
    name: domainName,
    type: questionType.default('A'),
    transport: z.enum(['udp', 'tcp']).default('udp'),
    /** Asks a resolver to resolve (RD); authoritative servers take no notice. */
    recursionDesired: z.boolean().default(false),
    expectRcode: z.enum(Object.keys(RCODES) as (keyof typeof RCODES)[]).default('NOERROR'),
    /** Rdata in presentation form, names with or without the final dot; without it any answer will do, also NODATA. */
    expectAnswers: z
      .array(z.string().min(1).max(MAX_ANSWER_LENGTH))
      .min(1)
      .max(MAX_EXPECTED_ANSWERS)
      .optional(),
    /** Whether one of `expectAnswers` is enough, or each must be there; there may always be more. */
    match: z.enum(['any', 'all']).default('any'),
    /** Whether the answer must be an authoritative one (AA). */
    requireAuthoritative: z.boolean().default(false),
  })
  .superRefine(({ type, expectAnswers }, context) => {
    for (const [i, text] of (expectAnswers ?? []).entries()) {
      const rdata = parseRdata(typeOf(type), text);
      if (rdata.ok) continue;
      for (const { message } of rdata.problems)
        context.addIssue({ code: 'custom', message, path: ['expectAnswers', i] });
    }
  });

type DnsSettings = Readonly<z.infer<typeof dnsSettings>>;

/**
 * Encodes and decodes with our own codec: `dns2` decodes a message before it looks at its id, and the pointer chains
 * of one message can hold it up for half a second.
 */
export const dnsProbe: ProbeKind<DnsSettings> = {
  kind: 'dns',
  summary: 'Asks a DNS server over UDP or TCP and judges rcode, authority and, if asked to, the records.',
  settings: dnsSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? DEFAULT_PORT };
    return runProbe(to, stopped, (run) => {
      const name = parseName(settings.name);
      if (!name.ok) throw new Error('a name that the settings have refused');
      const question: DnsQuestion = {
        id: randomInt(ID_COUNT),
        name: name.value,
        type: typeOf(settings.type),
        recursionDesired: settings.recursionDesired,
      };
      const judge = (answer: Message): void => judgeAnswer(run, answer, question.type, settings);
      if (settings.transport === 'tcp') connect(run, to, (socket) => askByTcp(run, socket, question, judge));
      // The kernel chooses the source port, at random.
      else
        connectDatagram(
          run,
          to,
          () => undefined,
          (socket) => askByUdp(run, socket, question, judge),
        );
    });
  },
};

function judgeAnswer(run: ProbeRun, answer: Message, type: number, settings: DnsSettings): void {
  const rcode = RCODE_NAMES.get(answer.rcode) ?? `RCODE${answer.rcode}`;
  const records = answer.answers.filter((record) => record.type === type && record.class === CLASS_IN);
  run.evidence.rcode = rcode;
  run.evidence.authoritative = answer.authoritative;
  run.evidence.truncated = answer.truncated;
  run.evidence.answerCount = records.length;
  run.evidence.answers = excerpt(Buffer.from(records.map(({ text }) => text).join(', ')));
  const { expectAnswers, match } = settings;
  if (rcode !== settings.expectRcode) {
    run.fail('unexpected-status', `${rcode} instead of ${settings.expectRcode}`);
  } else if (settings.requireAuthoritative && !answer.authoritative) {
    run.fail('unexpected-reply', `${rcode}, but not authoritative`);
  } else if (expectAnswers === undefined) {
    run.pass(`${rcode} with ${records.length} records`);
  } else if (answer.truncated) {
    // RFC 2181 section 9: what is left of a truncated answer is not to be used.
    run.fail('unexpected-reply', 'The answer is truncated, ask by transport tcp');
  } else {
    const rdatas = records.map(({ rdata }) => rdata);
    const missing = expectAnswers.filter((text) => !holds(rdatas, type, text));
    if (match === 'any' ? missing.length < expectAnswers.length : missing.length === 0)
      run.pass(`${rcode} with the expected records`);
    else run.fail('unexpected-reply', `${rcode}, but without ${missing[0]}`);
  }
}

/** Whether a record is among others, whatever the case of the names in it. */
function holds(rdatas: readonly Uint8Array[], type: number, text: string): boolean {
  const kind = rdataKind(type);
  const wanted = parseRdata(type, text);
  if (!wanted.ok) return false;
  const canonical = canonicalRdata(kind, wanted.value);
  return rdatas.some((rdata) => kind.validate(rdata) && octetsEqual(canonicalRdata(kind, rdata), canonical));
}

/** The settings hold only types that parse. */
function typeOf(text: string): number {
  return parseType(text) ?? 0;
}
