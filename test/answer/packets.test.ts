import { describe, expect, it } from 'vitest';
import { packetVectors } from '../vectors/packets.ts';
import { answerPacket, createWorld } from './world.ts';

const world = createWorld({
  zones: [
    `$ORIGIN example.org.
$TTL 300
@    SOA ns hostmaster 1 7200 900 1209600 60
@    NS  ns.example.net.
www  A   192.0.2.1
`,
  ],
  serverId: 'fra',
});

function octets(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
}

describe('packets, octet by octet', () => {
  it.each(packetVectors)('$name', ({ given, want }) => {
    const wanted = octets(want);
    const answer = answerPacket(world, octets(given));
    expect(Buffer.from(answer.subarray(0, wanted.length)).toString('hex')).toBe(
      Buffer.from(wanted).toString('hex'),
    );
    if (want === '') expect(answer.length).toBe(0);
  });
});
