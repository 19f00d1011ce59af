import type { DecodeOutcome, Query } from '../dns/query.ts';
import { CLASS_IN, isMetaType, TYPE_ANY, TYPE_AXFR, TYPE_IXFR, TYPE_OPT } from '../dns/type.ts';
import type { Transport } from './reply.ts';

/** RFC 1035 section 3.2.5: any class. */
export const CLASS_ANY = 255;

/** What is not looked up at all, and why. */
export type QuestionOutcome = 'answer' | 'refused' | 'formerr' | 'notimp';

/** RFC 7828 section 3.3.1: over UDP the option is ignored; over TCP one that is not empty is FORMERR (RFC 6891). */
export function admitKeepalive(decoded: DecodeOutcome, query: Query, transport: Transport): DecodeOutcome {
  if (query.keepalive === 'absent') return decoded;
  const malformed = query.keepalive === 'malformed';
  if (transport === 'udp' || malformed) query.keepalive = 'absent';
  return transport === 'tcp' && malformed && decoded === 'query' ? 'formerr' : decoded;
}

/** Whether a well-formed question is one that we look up. */
export function admitQuestion(query: Query): QuestionOutcome {
  if (query.class !== CLASS_IN && query.class !== CLASS_ANY) return 'refused';
  switch (query.type) {
    case TYPE_AXFR:
    case TYPE_IXFR:
      // RFC 5936 section 2.2.1: a server that does not give the zone away says so.
      return 'refused';
    case TYPE_OPT:
      // RFC 6891 section 6.1.1: OPT belongs in the additional section.
      return 'formerr';
    case TYPE_ANY:
      return 'answer';
    default:
      // MAILA, MAILB, TKEY, TSIG and what has no meaning yet (RFC 6895 section 3.1).
      return query.type !== 0 && isMetaType(query.type) ? 'notimp' : 'answer';
  }
}
