import { describe, expect, it } from 'vitest';
import { createCounters, openCounters } from '../../src/observe/counters.ts';
import { Answerer } from '../../src/server/answerer.ts';
import { createRandomSource } from '../../src/server/random.ts';
import { createSenderAddress } from '../../src/server/sender-address.ts';
import { queryFor, testSnapshot } from './test-snapshot.ts';

/* EDNS tcp-keepalive (RFC 7828): option 11, empty in queries, with a time in units of 100 ms in answers. */
const KEEPALIVE = 11;
const FORMERR = 1;

/** A query with an OPT record of these options, in hexadecimal. */
function queryWith(options: string): Uint8Array {
  const query = Buffer.from(queryFor('www.example.org', 'A'));
  query.writeUInt16BE(1, 10);
  const rdata = Buffer.from(options, 'hex');
  const opt = Buffer.from([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, rdata.length]);
  return Buffer.concat([query, opt, rdata]);
}

/** `rcode`, and the keepalive option of the answer in hexadecimal where there is one. */
function told(options: string, transport: 'udp' | 'tcp', idleMs = 10_000): string {
  const answerer = new Answerer(
    testSnapshot(),
    openCounters(createCounters()),
    createRandomSource(),
    (error) => {
      throw error;
    },
  );
  answerer.announceIdleTime(idleMs);
  const query = queryWith(options);
  const response = Buffer.alloc(4096);
  const length = answerer.answer(query, query.length, createSenderAddress(), transport, response);
  const rcode = (response[3] as number) & 0xf;
  const keepalive = optionsOf(response.subarray(0, length)).find(({ code }) => code === KEEPALIVE);
  return keepalive === undefined ? `${rcode}` : `${rcode} ${keepalive.value}`;
}

/** Options of the OPT record, which is the last of the message. */
function optionsOf(message: Buffer): { readonly code: number; readonly value: string }[] {
  for (let start = message.length - 11; start >= 12; start--) {
    const rdlength = message.readUInt16BE(start + 9);
    const isOpt = message[start] === 0 && message.readUInt16BE(start + 1) === 41;
    if (!isOpt || start + 11 + rdlength !== message.length) continue;
    const options: { code: number; value: string }[] = [];
    for (let at = start + 11; at < message.length; at += 4 + message.readUInt16BE(at + 2)) {
      const end = at + 4 + message.readUInt16BE(at + 2);
      options.push({ code: message.readUInt16BE(at), value: message.subarray(at + 4, end).toString('hex') });
    }
    return options;
  }
  return [];
}

describe('EDNS tcp-keepalive', () => {
  const cases = [
    { name: 'asked over TCP', given: ['000b0000', 'tcp'], want: '0 0064' },
    { name: 'asked over UDP: ignored', given: ['000b0000', 'udp'], want: '0' },
    { name: 'not asked over TCP', given: ['', 'tcp'], want: '0' },
    { name: 'with a time in the query, over TCP', given: ['000b00020064', 'tcp'], want: `${FORMERR}` },
    { name: 'with a time in the query, over UDP: ignored', given: ['000b00020064', 'udp'], want: '0' },
    { name: 'behind an option that is not known', given: ['fde90001aa000b0000', 'tcp'], want: '0 0064' },
  ] as const;
  it.each(cases)('$name', ({ given, want }) => {
    expect(told(given[0], given[1])).toBe(want);
  });

  const times = [
    { name: 'less than a unit', given: 99, want: '0 0000' },
    { name: 'whole units, rounded down', given: 1_999, want: '0 0013' },
    { name: 'the longest', given: 1e9, want: '0 ffff' },
  ];
  it.each(times)('tells $name', ({ given, want }) => {
    expect(told('000b0000', 'tcp', given)).toBe(want);
  });
});
