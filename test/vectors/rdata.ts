/** A record's rdata as text and as octets; the texts are ours, the octets follow the RFC named in the kind's file. */
export interface RdataVector {
  readonly mnemonic: string;
  readonly text: string;
  /** Hex of the wire form. */
  readonly wire: string;
  /** What `format` writes, when it is not `text`. */
  readonly canonical?: string;
  /** Offset and length of each name, then `c` for compressible and `a` for additional-section processing. */
  readonly names?: readonly string[];
}

/** Text that a kind must refuse, and a piece of the sentence that says why. */
export interface RefusedRdata {
  readonly mnemonic: string;
  readonly text: string;
  readonly sentence: string;
}

const ns1 = '036e7331076578616d706c65036f726700';

export const rdataVectors: readonly RdataVector[] = [
  { mnemonic: 'A', text: '192.0.2.1', wire: 'c0000201' },
  { mnemonic: 'A', text: '\\# 4 C0 0002 01', wire: 'c0000201', canonical: '192.0.2.1' },
  {
    mnemonic: 'AAAA',
    text: '2001:DB8::1',
    wire: '20010db8000000000000000000000001',
    canonical: '2001:db8::1',
  },
  { mnemonic: 'AAAA', text: '::ffff:192.0.2.1', wire: '00000000000000000000ffffc0000201' },
  { mnemonic: 'NS', text: 'ns1.example.org.', wire: ns1, names: ['0 17 ca'] },
  { mnemonic: 'NS', text: 'ns1.example.org', wire: ns1, canonical: 'ns1.example.org.', names: ['0 17 ca'] },
  { mnemonic: 'CNAME', text: 'NS1.example.org.', wire: `034e5331${ns1.slice(8)}`, names: ['0 17 c'] },
  { mnemonic: 'PTR', text: 'a\\.b.', wire: '03612e6200', names: ['0 5 c'] },
  {
    mnemonic: 'SOA',
    text: 'ns1.example.org. . 4294967295 ( 1d 1h\n 1w 1h30m )',
    wire: `${ns1}00ffffffff0001518000000e1000093a8000001518`,
    canonical: 'ns1.example.org. . 4294967295 86400 3600 604800 5400',
    names: ['0 17 c', '17 1 c'],
  },
  { mnemonic: 'MX', text: '10 ns1.example.org.', wire: `000a${ns1}`, names: ['2 17 ca'] },
  { mnemonic: 'MX', text: '0 .', wire: '000000', names: ['2 1 ca'] },
  { mnemonic: 'TXT', text: '"v=spf1 -all"', wire: '0b763d73706631202d616c6c' },
  { mnemonic: 'TXT', text: 'two words', wire: '0374776f05776f726473', canonical: '"two" "words"' },
  { mnemonic: 'TXT', text: '"" "a\\"b\\\\\\000;"', wire: '00066122625c003b' },
  { mnemonic: 'TXT', text: 'semi\\;colon', wire: '0a73656d693b636f6c6f6e', canonical: '"semi;colon"' },
  { mnemonic: 'TXT', text: '"\u00fc"', wire: '02c3bc', canonical: '"\\195\\188"' },
  { mnemonic: 'SRV', text: '1 2 65535 ns1.example.org.', wire: `00010002ffff${ns1}`, names: ['6 17 a'] },
  { mnemonic: 'CAA', text: '0 issue "ca.example.org"', wire: '0005697373756563612e6578616d706c652e6f7267' },
  {
    mnemonic: 'CAA',
    text: '128 tbs Unknown',
    wire: '8003746273556e6b6e6f776e',
    canonical: '128 tbs "Unknown"',
  },
  { mnemonic: 'CAA', text: '0 issue ""', wire: '00056973737565' },
  { mnemonic: 'TYPE65400', text: '\\# 0', wire: '' },
  { mnemonic: 'TYPE65400', text: '\\# 3 ( AB cd\n ef )', wire: 'abcdef', canonical: '\\# 3 abcdef' },
  { mnemonic: 'DS', text: '\\# 4 00010801', wire: '00010801' },
];

export const refusedRdata: readonly RefusedRdata[] = [
  { mnemonic: 'A', text: '192.0.2.256', sentence: 'A address must be an IPv4 address, got "192.0.2.256"' },
  { mnemonic: 'A', text: '2001:db8::1', sentence: 'A address must be an IPv4 address' },
  { mnemonic: 'A', text: '"192.0.2.1"', sentence: 'A address must not be in quotes' },
  { mnemonic: 'A', text: '', sentence: 'A needs one field (address), got 0' },
  { mnemonic: 'A', text: '192.0.2.1 192.0.2.2', sentence: 'A needs one field (address), got 2' },
  { mnemonic: 'A', text: '\\# 3 c00002', sentence: 'not well-formed A rdata' },
  { mnemonic: 'AAAA', text: '192.0.2.1', sentence: 'AAAA address must be an IPv6 address' },
  { mnemonic: 'NS', text: 'a..b', sentence: 'NS name server: The name "a..b" has an empty label' },
  { mnemonic: 'NS', text: '\\# 2 c000', sentence: 'not well-formed NS rdata' },
  { mnemonic: 'CNAME', text: 'b\u00fccher.example.org.', sentence: 'A-label form' },
  { mnemonic: 'PTR', text: '\\# 3 016100ff', sentence: '4 octets follow \\#, and its length says 3' },
  { mnemonic: 'MX', text: 'x mail', sentence: 'MX preference must be 0 to 65535, got "x"' },
  { mnemonic: 'MX', text: '65536 mail', sentence: 'MX preference must be 0 to 65535' },
  { mnemonic: 'MX', text: '10', sentence: 'MX needs 2 fields (preference, exchange), got 1' },
  {
    mnemonic: 'SOA',
    text: 'a b 1 1 1 1 3w1',
    sentence: 'SOA minimum must be 0 to 2147483647 seconds, or units',
  },
  { mnemonic: 'SOA', text: 'a b -1 1 1 1 1', sentence: 'SOA serial must be 0 to 4294967295, got "-1"' },
  { mnemonic: 'TXT', text: '', sentence: 'TXT needs at least one field (string), got 0' },
  {
    mnemonic: 'TXT',
    text: 'a'.repeat(256),
    sentence: 'split it into quoted strings of at most 255 octets each',
  },
  { mnemonic: 'TXT', text: '"\\999"', sentence: 'TXT string has a bad escape' },
  { mnemonic: 'TXT', text: 'v=DKIM1; k=rsa', sentence: 'has a ; outside quotes' },
  { mnemonic: 'TXT', text: '"open', sentence: 'has a quote that is not closed' },
  { mnemonic: 'TXT', text: '"a"b', sentence: 'touches the next field' },
  { mnemonic: 'TXT', text: 'a="b"', sentence: 'has a quote inside a field' },
  { mnemonic: 'TXT', text: 'a\nb', sentence: 'has more than one line' },
  { mnemonic: 'TXT', text: '( a', sentence: 'has a parenthesis that is never closed' },
  { mnemonic: 'SRV', text: '1 2 65536 a', sentence: 'SRV port must be 0 to 65535' },
  { mnemonic: 'CAA', text: '256 issue x', sentence: 'CAA flags must be 0 to 255' },
  {
    mnemonic: 'CAA',
    text: '0 is-sue x',
    sentence: 'CAA tag must be 1 to 255 letters and digits, got "is-sue"',
  },
  { mnemonic: 'CAA', text: '\\# 2 0000', sentence: 'not well-formed CAA rdata' },
  { mnemonic: 'DS', text: '1 8 2 abcd', sentence: 'write it as TYPE43 \\# LENGTH HEX' },
  { mnemonic: 'HTTPS', text: '1 . alpn=h2', sentence: 'write it as TYPE65 \\# LENGTH HEX' },
  { mnemonic: 'TYPE65400', text: '\\# 1', sentence: '0 octets follow \\#, and its length says 1' },
  { mnemonic: 'TYPE65400', text: '\\# 1 a', sentence: 'must be pairs of hexadecimal digits' },
  { mnemonic: 'TYPE65400', text: '\\# 65536 00', sentence: 'the length after \\# must be 0 to 65535' },
  { mnemonic: 'TYPE65400', text: '\\#', sentence: 'the length after \\# must be 0 to 65535, got ""' },
];
