import net from 'node:net';
import type tls from 'node:tls';
import { beginConnecting } from './connection.ts';
import type { ResponseHead } from './http-head.ts';
import { ResponseReader, type ResponseSink } from './http-reader.ts';
import { expectsStatus, type HttpSettings } from './http-settings.ts';
import { loadFields, noteLoad } from './load-headers.ts';
import type { ProbeTarget } from './probe.ts';
import { excerpt, formatPlace, type ProbeRun } from './probe-run.ts';
import { createTextSearch } from './text-search.ts';

type TargetWithPort = ProbeTarget & { readonly port: number };

/** Of one read; a response that is larger comes in several. */
const READ_OCTETS = 65_536;

/** What arrives is looked at before anything else is read, so all connections read into the same octets. */
const arrived = Buffer.allocUnsafeSlow(READ_OCTETS);

/**
 * Opens a connection of its own, sends one request, and judges the response: the status as soon as the header section
 * is there, the body only as far as `bodyContains` asks for it.
 *
 * A kept connection would hide that no new ones are accepted. Node's HTTP client is not used: it costs several times
 * what the connection itself does, and there are thousands of these a second.
 */
export function exchange(run: ProbeRun, target: TargetWithPort, settings: HttpSettings): void {
  if (!beginConnecting(run, target)) return;
  const reader = new ResponseReader(settings.method, createJudge(run, settings));
  const socket = net.connect({
    host: target.address,
    port: target.port,
    noDelay: true,
    onread: {
      buffer: arrived,
      callback: (length) => {
        if (!run.decided) reader.read(arrived.subarray(0, length));
        return true;
      },
    },
  });
  run.hold(socket);
  socket.on('error', (error) => run.failWith(error));
  socket.once('connect', () => {
    if (run.decided) return;
    run.evidence.connectMs = run.elapsedMs();
    run.stage = 'waiting for the response';
    socket.write(requestText(target, settings));
  });
  const onEnd = (): void => {
    if (!run.decided) reader.end();
  };
  socket.once('end', onEnd);
  socket.once('close', onEnd);
}

/** The same over a TLS connection that is open. */
export function exchangeSecurely(
  run: ProbeRun,
  target: TargetWithPort,
  socket: tls.TLSSocket,
  settings: HttpSettings,
): void {
  run.stage = 'waiting for the response';
  const reader = new ResponseReader(settings.method, createJudge(run, settings));
  socket.on('data', (octets: Buffer) => {
    if (!run.decided) reader.read(octets);
  });
  const onEnd = (): void => {
    if (!run.decided) reader.end();
  };
  socket.once('end', onEnd);
  socket.once('close', onEnd);
  socket.write(requestText(target, settings));
}

/** Headers of every probe; a monitor's own of the same name take their place. */
const OWN_HEADERS: readonly (readonly [string, string])[] = [
  ['user-agent', 'meridian-probe'],
  ['accept', '*/*'],
];

/** All headers of a request but the `host`. */
export function requestHeaders(settings: HttpSettings): readonly (readonly [string, string])[] {
  const given = Object.entries(settings.headers);
  const names = new Set(given.map(([name]) => name.toLowerCase()));
  const headers = [...OWN_HEADERS.filter(([name]) => !names.has(name)), ...given];
  if (settings.method !== 'POST') return headers;
  return [...headers, ['content-length', String(Buffer.byteLength(settings.body ?? ''))]];
}

/** The place that a request names: `host`, or else the address. */
export function authorityOf(target: TargetWithPort, settings: HttpSettings): string {
  return settings.host ?? formatPlace(target.address, target.port);
}

/** What comes before and after the host in a request; the same for all endpoints of a monitor. */
const frames = new WeakMap<HttpSettings, readonly [string, string]>();

function requestText(target: TargetWithPort, settings: HttpSettings): string {
  const known = frames.get(settings);
  const [before, after] = known ?? frameOf(settings);
  if (known === undefined) frames.set(settings, [before, after]);
  return before + authorityOf(target, settings) + after;
}

function frameOf(settings: HttpSettings): readonly [string, string] {
  const headers = requestHeaders(settings).map(([name, value]) => `${name}: ${value}\r\n`);
  return [
    `${settings.method} ${settings.path} HTTP/1.1\r\nhost: `,
    `\r\n${headers.join('')}connection: close\r\n\r\n${settings.body ?? ''}`,
  ];
}

/** Carries what a response holds to the run's verdict, whatever version of HTTP it came by. */
export function createJudge(run: ProbeRun, settings: HttpSettings): ResponseSink {
  const { bodyContains, bodyLimitOctets } = settings;
  const search = bodyContains === undefined ? undefined : createTextSearch(bodyContains, bodyLimitOctets);
  let status = 0;
  return {
    fields: loadFields(settings),
    onHead(head) {
      status = head.status;
      noteLoad(run, head, settings);
      judgeHead(run, head, settings);
    },
    onBody(octets) {
      if (run.decided) return;
      run.evidence.bodyStart ??= excerpt(octets);
      const found = search?.add(octets);
      if (found === 'found') run.pass(`HTTP ${status} with the expected body`);
      else if (found === 'full')
        run.fail(
          'response-too-large',
          `HTTP ${status} without the expected text in ${bodyLimitOctets} octets of body`,
        );
    },
    onComplete: () => run.fail('body-mismatch', `HTTP ${status} without the expected text in the body`),
    onRefused: ({ reason, what }) => run.fail(reason, what),
  };
}

function judgeHead(run: ProbeRun, { status, location }: ResponseHead, settings: HttpSettings): void {
  run.evidence.status = status;
  run.evidence.firstByteMs = run.elapsedMs();
  if (location !== undefined) run.evidence.location = excerpt(Buffer.from(location, 'latin1'));
  if (!expectsStatus(settings.expectStatus, status)) run.fail('unexpected-status', `HTTP ${status}`);
  else if (settings.bodyContains === undefined) run.pass(`HTTP ${status}`);
  else run.stage = 'reading the body';
}
