/*
 * Record types by number (IANA "Resource Record (RR) TYPEs"). A type with a mnemonic here may still have no
 * presentation form of its own: see the registry in rdata/index.ts.
 */
export const TYPE_A = 1;
export const TYPE_NS = 2;
export const TYPE_CNAME = 5;
export const TYPE_SOA = 6;
export const TYPE_PTR = 12;
export const TYPE_MX = 15;
export const TYPE_TXT = 16;
export const TYPE_KEY = 25;
export const TYPE_AAAA = 28;
export const TYPE_SRV = 33;
export const TYPE_OPT = 41;
/** RFC 6672; known so that it can be refused. */
export const TYPE_DNAME = 39;
export const TYPE_DS = 43;
export const TYPE_RRSIG = 46;
export const TYPE_NSEC = 47;
export const TYPE_DNSKEY = 48;
export const TYPE_IXFR = 251;
export const TYPE_AXFR = 252;
export const TYPE_ANY = 255;
export const TYPE_CAA = 257;

/** The only class we serve (RFC 1035 section 3.2.4). */
export const CLASS_IN = 1;

/** Largest type or class: 16 bits on the wire. */
const MAX_CODE = 65_535;

const mnemonicByType: ReadonlyMap<number, string> = new Map([
  [TYPE_A, 'A'],
  [TYPE_NS, 'NS'],
  [TYPE_CNAME, 'CNAME'],
  [TYPE_SOA, 'SOA'],
  [TYPE_PTR, 'PTR'],
  [13, 'HINFO'],
  [TYPE_MX, 'MX'],
  [TYPE_TXT, 'TXT'],
  [17, 'RP'],
  [18, 'AFSDB'],
  [TYPE_KEY, 'KEY'],
  [TYPE_AAAA, 'AAAA'],
  [29, 'LOC'],
  [TYPE_SRV, 'SRV'],
  [35, 'NAPTR'],
  [37, 'CERT'],
  [TYPE_DNAME, 'DNAME'],
  [TYPE_OPT, 'OPT'],
  [TYPE_DS, 'DS'],
  [44, 'SSHFP'],
  [45, 'IPSECKEY'],
  [TYPE_RRSIG, 'RRSIG'],
  [TYPE_NSEC, 'NSEC'],
  [TYPE_DNSKEY, 'DNSKEY'],
  [50, 'NSEC3'],
  [51, 'NSEC3PARAM'],
  [52, 'TLSA'],
  [53, 'SMIMEA'],
  [59, 'CDS'],
  [60, 'CDNSKEY'],
  [61, 'OPENPGPKEY'],
  [62, 'CSYNC'],
  [63, 'ZONEMD'],
  [64, 'SVCB'],
  [65, 'HTTPS'],
  [99, 'SPF'],
  [249, 'TKEY'],
  [250, 'TSIG'],
  [TYPE_IXFR, 'IXFR'],
  [TYPE_AXFR, 'AXFR'],
  [TYPE_ANY, 'ANY'],
  [256, 'URI'],
  [TYPE_CAA, 'CAA'],
]);

const typeByMnemonic: ReadonlyMap<string, number> = new Map(
  [...mnemonicByType].map(([type, mnemonic]) => [mnemonic, type]),
);

/** A mnemonic, or `TYPE` and a number of 0 to 65535 (RFC 3597 section 5), in any case; undefined for others. */
export function parseType(text: string): number | undefined {
  const type = typeByMnemonic.get(text);
  if (type !== undefined) return type;
  const upper = text.toUpperCase();
  return typeByMnemonic.get(upper) ?? parseNumbered(upper, 'TYPE');
}

/** The mnemonic where there is one, else RFC 3597 form: `A`, `HTTPS`, `TYPE65400`. */
export function formatType(type: number): string {
  return mnemonicByType.get(type) ?? `TYPE${type}`;
}

/** Classes by number (RFC 1035 section 3.2.4, RFC 2136): `IN`, or RFC 3597 `CLASS1`; undefined for others. */
export function parseClass(text: string): number | undefined {
  const upper = text.toUpperCase();
  switch (upper) {
    case 'IN':
      return CLASS_IN;
    case 'CS':
      return 2;
    case 'CH':
      return 3;
    case 'HS':
      return 4;
    default:
      return parseNumbered(upper, 'CLASS');
  }
}

/** Types that only questions or messages carry, never zones: 0, OPT and 128 to 255 (RFC 6895 section 3.1). */
export function isMetaType(type: number): boolean {
  return type === 0 || type === TYPE_OPT || (type >= 128 && type <= 255);
}

/** RFC 2181 section 10.1, RFC 4034 section 3, RFC 4035 section 2.5; everything else makes a CNAME wrong. */
export function mayStandBesideCname(type: number): boolean {
  return type === TYPE_KEY || type === TYPE_RRSIG || type === TYPE_NSEC;
}

function parseNumbered(upper: string, prefix: string): number | undefined {
  if (!upper.startsWith(prefix)) return undefined;
  const digits = upper.slice(prefix.length);
  if (!/^\d{1,5}$/.test(digits)) return undefined;
  const code = Number(digits);
  return code <= MAX_CODE ? code : undefined;
}
