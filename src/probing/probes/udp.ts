import type dgram from 'node:dgram';
import { z } from 'zod';
import { connectDatagram, sendDatagram } from '../datagram.ts';
import type { ProbeKind } from '../probe.ts';
import { excerpt, type ProbeRun, runProbe } from '../probe-run.ts';

/** Passes any path in one piece. */
const MAX_OCTETS = 1200;

/** A refusal comes as fast as any answer; a second covers every path on Earth. */
const DEFAULT_REFUSAL_WAIT_SECONDS = 1;
const MAX_REFUSAL_WAIT_SECONDS = 60;

/** The share of the timeout in which a refusal is waited for, so that silence passes before the time is up. */
const REFUSAL_WAIT_SHARE = 0.8;

const text = z
  .string()
  .min(1)
  .refine((value) => Buffer.byteLength(value) <= MAX_OCTETS, {
    error: `must not be more than ${MAX_OCTETS} octets of UTF-8`,
  });

const hex = z
  .string()
  .regex(/^(?:[0-9a-fA-F]{2} ?)+$/, 'must be octets in hexadecimal, such as "0a1b" or "0a 1b"')
  .refine((value) => fromHex(value).length <= MAX_OCTETS, {
    error: `must not be more than ${MAX_OCTETS} octets`,
  });

const udpSettings = z
  .strictObject({
    /** Text of the datagram, as UTF-8; without `send` and `sendHex` it is empty. */
    send: text.optional(),
    sendHex: hex.optional(),
    /** Text that the first reply must hold. */
    expect: text.optional(),
    expectHex: hex.optional(),
    /** Without anything to expect: how long a refusal is waited for, at most 0.8 of the timeout. */
    refusalWaitSeconds: z
      .number()
      .min(0.05)
      .max(MAX_REFUSAL_WAIT_SECONDS)
      .default(DEFAULT_REFUSAL_WAIT_SECONDS),
  })
  .refine(({ send, sendHex }) => send === undefined || sendHex === undefined, {
    error: 'must not be given beside send',
    path: ['sendHex'],
  })
  .refine(({ expect, expectHex }) => expect === undefined || expectHex === undefined, {
    error: 'must not be given beside expect',
    path: ['expectHex'],
  });

type UdpSettings = Readonly<z.infer<typeof udpSettings>>;

export const udpProbe: ProbeKind<UdpSettings> = {
  kind: 'udp',
  summary:
    'Sends one UDP datagram and looks for a text or octets in the reply; with nothing to expect, only an ICMP refusal fails.',
  requiresPort: true,
  settings: udpSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? 0 };
    return runProbe(to, stopped, (run) => {
      if (target.port === undefined)
        run.fail('internal-error', 'The monitor names no port, so nothing was probed');
      else
        connectDatagram(run, to, bindNothing, (socket) => converse(run, socket, settings, target.timeoutMs));
    });
  },
};

/** Connecting binds the socket to a port of the kernel's choice. */
function bindNothing(): void {}

function converse(run: ProbeRun, socket: dgram.Socket, settings: UdpSettings, timeoutMs: number): void {
  const expected = octetsOf(settings.expect, settings.expectHex);
  if (expected === undefined) awaitRefusal(run, settings, timeoutMs);
  else run.stage = 'waiting for the reply';
  // One reply decides, so a peer that sends without end is heard once.
  socket.once('message', (reply: Uint8Array) => {
    if (run.decided) return;
    run.evidence.replyStart = excerpt(reply);
    run.evidence.replyOctets = reply.length;
    if (expected === undefined) run.pass('Reply');
    else if (Buffer.from(reply).includes(expected)) run.pass('Expected reply');
    else run.fail('unexpected-reply', `A reply of ${reply.length} octets without what was expected`);
  });
  sendDatagram(run, socket, octetsOf(settings.send, settings.sendHex) ?? new Uint8Array(0));
}

function awaitRefusal(run: ProbeRun, settings: UdpSettings, timeoutMs: number): void {
  run.stage = 'waiting for a refusal';
  const waitMs = Math.min(settings.refusalWaitSeconds * 1000, timeoutMs * REFUSAL_WAIT_SHARE);
  const timer = setTimeout(() => {
    // After a standstill of this node, timers run before sockets are looked at; a refusal may be there.
    setImmediate(() => run.pass('Sent, and not refused'));
  }, waitMs);
  run.hold({ destroy: () => clearTimeout(timer) });
}

function octetsOf(asText: string | undefined, asHex: string | undefined): Buffer | undefined {
  if (asText !== undefined) return Buffer.from(asText);
  return asHex === undefined ? undefined : fromHex(asHex);
}

function fromHex(value: string): Buffer {
  return Buffer.from(value.replaceAll(' ', ''), 'hex');
}
