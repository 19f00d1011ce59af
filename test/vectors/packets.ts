/** A packet and what the answer begins with, both as hex: header, then as much as the case is about. */
export interface PacketVector {
  readonly name: string;
  readonly given: string;
  /** Empty: nothing is sent. */
  readonly want: string;
}

/** `www.example.org A IN`. */
const question = '03777777 076578616d706c65 036f7267 00 0001 0001';
const upper = '03575757 076578616d706c65 036f7267 00 0001 0001';
/** One record of the zone that `packets.test.ts` serves. */
const answer = 'c00c 0001 0001 0000012c 0004 c0000201';
/** OPT of an answer: 1232 octets, no flags, no options. */
const opt = '00 0029 04d0 00 00 0000 0000';

const header = (flags: string, counts: string): string => `1234 ${flags} ${counts}`;
const query = (body: string, counts = '0001 0000 0000 0000', flags = '0000'): string =>
  `${header(flags, counts)} ${body}`;
const edns = (options: string, fixed = '1000 00 00 0000'): string => {
  const length = options.replaceAll(' ', '').length / 2;
  return query(
    `${question} 00 0029 ${fixed} ${length.toString(16).padStart(4, '0')} ${options}`,
    '0001 0000 0000 0001',
  );
};
const formerr = `${header('8001', '0000 0000 0000 0000')}`;
const questionFormerr = `${header('8001', '0001 0000 0000 0000')} ${question}`;
const ednsFormerr = `${header('8001', '0001 0000 0000 0001')} ${question} ${opt}`;
const ednsAnswer = `${header('8400', '0001 0001 0000 0001')} ${question} ${answer}`;

export const packetVectors: readonly PacketVector[] = [
  {
    name: 'a query',
    given: query(question),
    want: `${header('8400', '0001 0001 0000 0000')} ${question} ${answer}`,
  },
  {
    name: 'RD and CD are copied, RA and AD are not set, Z and AD of the query are ignored',
    given: query(question, undefined, '01f0'),
    want: header('8510', '0001 0001 0000 0000'),
  },
  {
    name: 'AA, TC, RA and an rcode in a query are ignored',
    given: query(question, undefined, '0685'),
    want: header('8400', '0001 0001 0000 0000'),
  },
  {
    name: 'the case of the question is echoed',
    given: query(upper),
    want: `${header('8400', '0001 0001 0000 0000')} ${upper} ${answer}`,
  },
  {
    name: 'octets behind the records are ignored',
    given: `${query(question)} deadbeef`,
    want: header('8400', '0001 0001 0000 0000'),
  },

  { name: 'nothing', given: '', want: '' },
  { name: 'eleven octets', given: '1234 0000 0001 0000 0000 00', want: '' },
  { name: 'a response', given: query(question, undefined, '8000'), want: '' },
  {
    name: 'a response with an opcode that we do not know',
    given: query(question, undefined, 'f800'),
    want: '',
  },
  {
    name: 'IQUERY',
    given: query(question, undefined, '0800'),
    want: `${header('8804', '0001 0000 0000 0000')} ${question}`,
  },
  {
    name: 'NOTIFY',
    given: query(question, undefined, '2100'),
    want: `${header('a104', '0001 0000 0000 0000')} ${question}`,
  },
  {
    name: 'UPDATE',
    given: query(question, undefined, '2800'),
    want: `${header('a804', '0001 0000 0000 0000')} ${question}`,
  },

  {
    name: 'NOTIFY with OPT gets one, RFC 6891 section 6.1.1',
    given: query(`${question} 00 0029 1000 00 00 0000 0000`, '0001 0000 0000 0001', '2100'),
    want: `${header('a104', '0001 0000 0000 0001')} ${question} ${opt}`,
  },
  {
    name: 'no question, with OPT',
    given: query('00 0029 1000 00 00 0000 0000', '0000 0000 0000 0001'),
    want: `${header('8001', '0000 0000 0000 0001')} ${opt}`,
  },
  { name: 'a header alone', given: query('', '0000 0000 0000 0000'), want: formerr },
  {
    name: 'two questions, RFC 9619',
    given: query(`${question} ${question}`, '0002 0000 0000 0000'),
    want: formerr,
  },
  { name: 'no octet of the question', given: query(''), want: formerr },
  { name: 'a label that is cut off', given: query('037777'), want: formerr },
  { name: 'a name without its end', given: query('03777777 076578616d706c65'), want: formerr },
  { name: 'a type that is cut off', given: query(question.slice(0, -7)), want: formerr },
  { name: 'a compression pointer in the question', given: query('c00c 0001 0001'), want: formerr },
  { name: 'a compression pointer behind a label', given: query('03777777 c004 0001 0001'), want: formerr },
  { name: 'an extended label type', given: query('41 00 0001 0001'), want: formerr },
  {
    name: 'a name of 256 octets',
    given: query(`${`3f${'61'.repeat(63)}`.repeat(3)} 3e${'61'.repeat(62)} 00 0001 0001`),
    want: formerr,
  },
  {
    name: 'a name of 255 octets',
    given: query(`${`3f${'61'.repeat(63)}`.repeat(3)} 3d${'61'.repeat(61)} 00 0001 0001`),
    want: header('8005', '0001 0000 0000 0000'),
  },
  {
    name: 'a name of 127 labels',
    given: query(`${'0161'.repeat(127)} 00 0001 0001`),
    want: header('8005', '0001 0000 0000 0000'),
  },
  {
    name: 'an answer record in a query',
    given: query(`${question} ${answer}`, '0001 0001 0000 0000'),
    want: questionFormerr,
  },
  {
    name: 'an authority record in a query',
    given: query(`${question} ${answer}`, '0001 0000 0001 0000'),
    want: questionFormerr,
  },
  {
    name: 'more additional records than there are',
    given: query(question, '0001 0000 0000 0001'),
    want: questionFormerr,
  },
  { name: '65,535 additional records', given: query(question, '0001 0000 0000 ffff'), want: questionFormerr },
  {
    name: 'an additional record that is no OPT',
    given: query(`${question} ${answer}`, '0001 0000 0000 0001'),
    want: header('8400', '0001 0001 0000 0000'),
  },
  {
    name: 'an rdlength past the end',
    given: query(`${question} c00c 0001 0001 0000012c 0005 c0000201`, '0001 0000 0000 0001'),
    want: questionFormerr,
  },

  {
    name: 'class ANY, without AA',
    given: query(question.replace(/0001$/, '00ff')),
    want: header('8000', '0001 0001 0000 0000'),
  },
  {
    name: 'class CH',
    given: query(question.replace(/0001$/, '0003')),
    want: header('8005', '0001 0000 0000 0000'),
  },
  {
    name: 'IXFR with its SOA in authority',
    given: query(`${question.replace('0001 0001', '00fb 0001')} ${answer}`, '0001 0000 0001 0000'),
    want: header('8005', '0001 0000 0000 0000'),
  },

  { name: 'EDNS', given: edns(''), want: `${ednsAnswer} ${opt}` },
  {
    name: 'DO is copied, RFC 3225 section 3',
    given: edns('', '1000 00 00 8000'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 8000 0000`,
  },
  { name: 'other EDNS flags are ignored', given: edns('', '1000 00 00 7fff'), want: `${ednsAnswer} ${opt}` },
  {
    name: 'an extended rcode in a query is ignored',
    given: edns('', '1000 ff 00 0000'),
    want: `${ednsAnswer} ${opt}`,
  },
  {
    name: 'EDNS version 1: BADVERS, and our version, RFC 6891 section 6.1.3',
    given: edns('', '1000 00 01 0000'),
    want: `${header('8000', '0001 0000 0000 0001')} ${question} 00 0029 04d0 01 00 0000 0000`,
  },
  { name: 'an unknown option is ignored', given: edns('fde9 0003 010203'), want: `${ednsAnswer} ${opt}` },
  { name: 'a cookie is ignored', given: edns('000a 0008 0102030405060708'), want: `${ednsAnswer} ${opt}` },
  {
    name: 'NSID, RFC 5001',
    given: edns('0003 0000'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 0007 0003 0003 667261`,
  },
  { name: 'an option past the end of OPT', given: edns('fde9 0004 010203'), want: ednsFormerr },
  { name: 'half an option header', given: edns('fde9 00'), want: ednsFormerr },
  {
    name: 'two OPTs, RFC 6891 section 6.1.1',
    given: query(`${question} ${opt} ${opt}`, '0001 0000 0000 0002'),
    want: ednsFormerr,
  },
  {
    name: 'an OPT whose owner is not the root',
    given: query(`${question} 0161 00 0029 04d0 00 00 0000 0000`, '0001 0000 0000 0001'),
    want: questionFormerr,
  },
  {
    name: 'an OPT behind another record',
    given: query(`${question} ${answer} ${opt}`, '0001 0000 0000 0002'),
    want: `${ednsAnswer} ${opt}`,
  },

  {
    name: 'client subnet 198.51.100.0/24, echoed with scope',
    given: edns('0008 0007 0001 18 00 c63364'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 000b 0008 0007 0001 18 00 c63364`,
  },
  {
    name: 'client subnet with 25 bits takes four octets',
    given: edns('0008 0008 0001 19 00 c6336480'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 000c 0008 0008 0001 19 00 c6336480`,
  },
  {
    name: 'client subnet 2001:db8::/32',
    given: edns('0008 0008 0002 20 00 20010db8'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 000c 0008 0008 0002 20 00 20010db8`,
  },
  {
    name: 'client subnet /0',
    given: edns('0008 0004 0001 00 00'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 0008 0008 0004 0001 00 00`,
  },
  {
    name: 'client subnet of family 0 with /0',
    given: edns('0008 0004 0000 00 00'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 0008 0008 0004 0000 00 00`,
  },
  {
    name: 'of two client subnets the first',
    given: edns('0008 0004 0001 00 00 0008 0004 0002 00 00'),
    want: `${ednsAnswer} 00 0029 04d0 00 00 0000 0008 0008 0004 0001 00 00`,
  },
  { name: 'client subnet of family 0 with bits', given: edns('0008 0005 0000 08 00 c6'), want: ednsFormerr },
  { name: 'client subnet of family 3', given: edns('0008 0004 0003 00 00'), want: ednsFormerr },
  {
    name: 'client subnet with too few octets, RFC 7871 section 6',
    given: edns('0008 0006 0001 18 00 c633'),
    want: ednsFormerr,
  },
  {
    name: 'client subnet with too many octets',
    given: edns('0008 0008 0001 18 00 c6336400'),
    want: ednsFormerr,
  },
  {
    name: 'client subnet with bits past the source length',
    given: edns('0008 0007 0001 17 00 c63365'),
    want: ednsFormerr,
  },
  { name: 'client subnet with a scope', given: edns('0008 0007 0001 18 18 c63364'), want: ednsFormerr },
  {
    name: 'client subnet of 33 bits of IPv4',
    given: edns('0008 0009 0001 21 00 c633640000'),
    want: ednsFormerr,
  },
  {
    name: 'client subnet of 129 bits of IPv6',
    given: edns(`0008 0015 0002 81 00 ${'00'.repeat(17)}`),
    want: ednsFormerr,
  },
  { name: 'client subnet of three octets', given: edns('0008 0003 0001 18'), want: ednsFormerr },
];
