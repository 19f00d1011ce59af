import type net from 'node:net';
import { z } from 'zod';
import { connect } from '../connection.ts';
import type { ProbeKind } from '../probe.ts';
import { excerpt, type ProbeRun, runProbe } from '../probe-run.ts';
import { createTextSearch } from '../text-search.ts';

/** A banner or a reply fits in it many times over. */
const DEFAULT_REPLY_LIMIT_OCTETS = 4096;
const MAX_REPLY_LIMIT_OCTETS = 65_536;

const tcpSettings = z.strictObject({
  /** Text sent once connected, as UTF-8. JSON and YAML have the escapes that are needed: `"PING\r\n"`. */
  send: z.string().min(1).max(1024).optional(),
  /** Text that must come within the reply; without it, being connected is enough. */
  expect: z.string().min(1).max(1024).optional(),
  /** How much of the reply is searched. */
  replyLimitOctets: z.int().min(1).max(MAX_REPLY_LIMIT_OCTETS).default(DEFAULT_REPLY_LIMIT_OCTETS),
  /** Holds an idle connection open beside the probes, whose end starts a burst of them. */
  watch: z.boolean().default(false),
});

type TcpSettings = Readonly<z.infer<typeof tcpSettings>>;

export const tcpProbe: ProbeKind<TcpSettings> = {
  kind: 'tcp',
  summary: 'Opens a TCP connection and, if asked to, sends a text and waits for another.',
  requiresPort: true,
  settings: tcpSettings,
  run: (target, settings, stopped) => {
    const to = { ...target, port: target.port ?? 0 };
    return runProbe(to, stopped, (run) => {
      if (target.port === undefined)
        run.fail('internal-error', 'The monitor names no port, so nothing was probed');
      else connect(run, to, (socket) => converse(run, socket, settings));
    });
  },
  watchedPort: (port, { watch }) => (watch ? port : undefined),
};

function converse(run: ProbeRun, socket: net.Socket, settings: TcpSettings): void {
  const { send, expect } = settings;
  if (expect !== undefined) awaitReply(run, socket, expect, settings.replyLimitOctets);
  if (send === undefined) {
    if (expect === undefined) run.pass('Connected');
    return;
  }
  socket.write(send, () => {
    // An error of the write comes as the socket's own.
    if (expect === undefined && !socket.destroyed) run.pass('Connected and sent');
  });
}

function awaitReply(run: ProbeRun, socket: net.Socket, expect: string, limitOctets: number): void {
  run.stage = 'waiting for the reply';
  const search = createTextSearch(expect, limitOctets);
  socket.on('data', (piece: Uint8Array) => {
    if (run.decided) return;
    run.evidence.replyStart ??= excerpt(piece);
    const found = search.add(piece);
    if (found === 'found') run.pass('Expected reply');
    else if (found === 'full')
      run.fail('response-too-large', `No expected text in ${limitOctets} octets of reply`);
  });
  socket.once('end', () => run.fail('unexpected-reply', 'Connection closed before the expected reply'));
}
