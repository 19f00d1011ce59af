import { readFile } from 'node:fs/promises';
import { formatProblems } from '../config/format-problem.ts';
import { reasonOf } from '../config/problem.ts';
import { DemoListenError } from '../demo/data-centers.ts';
import { createLogger, type Logger } from '../observe/log.ts';
import { formatListenAddress, ListenError } from '../server/listen-address.ts';
import { parseToken, type TokenSource } from '../settings/token-source.ts';
import type { Settings } from '../settings.ts';
import { StoreError } from '../store/store-error.ts';
import { packageVersion } from '../version.ts';
import type { BootedDns } from './boot/boot-dns.ts';
import { readBootManifest } from './boot/boot-manifest.ts';
import type { DnsOutlet } from './dns-outlet.ts';
import { LifeCycle } from './life-cycle.ts';
import { StartError } from './start-error.ts';
import type { RunningNode } from './start-node.ts';
import { listenControl } from './takeover/control-socket.ts';
import { endHolder } from './takeover/end-holder.ts';
import { createNotifier, type Notifier } from './takeover/notify.ts';
import type { Predecessor } from './takeover/predecessor.ts';
import { spawnSuccessor } from './takeover/spawn-successor.ts';
import { takenAddresses } from './takeover/taken-addresses.ts';
import { TakeoverError } from './takeover/takeover-error.ts';
import { TakeoverHost } from './takeover/takeover-host.ts';
import { welcome } from './welcome.ts';

/** What has happened before the control plane was loaded. */
export interface NodeStart extends BootedDns {
  readonly signals: NodeSignals;
}

/** What people tell a process. One that comes before somebody listens is made up for. */
export interface NodeSignals {
  /** Resolves on SIGINT or SIGTERM. */
  readonly stop: Promise<void>;
  onReload(reload: () => void): void;
  onRestart(restart: () => void): void;
}

/** Opens the control plane and runs until told to stop, or until a successor serves. Resolves with the exit code. */
export async function runNode(start: NodeStart): Promise<number> {
  const log = createLogger(start.activated.settings.logLevel);
  start.lateLog.attach(log);
  const notifier = createNotifier(process.env, (error) =>
    log.warn({ err: error }, 'the service manager cannot be told how this node is'),
  );
  if (start.boot !== undefined) notifier.status('answering from what was served last; opening the store');
  try {
    return await run(start, log, notifier);
  } catch (error) {
    // Also what was served from the start, or this process would not end.
    await start.outlet.close();
    const reason = reasonFor(error);
    if (reason === undefined) throw error;
    process.stderr.write(`meridian cannot start: ${reason}\n`);
    return 1;
  } finally {
    notifier.close();
    start.predecessor?.close();
  }
}

async function run(start: NodeStart, log: Logger, notifier: Notifier): Promise<number> {
  const { activated, outlet, boot, lock, predecessor, signals } = start;
  const { settings, inherited } = activated;
  const token = await readToken(settings.token);
  const version = packageVersion();
  const api = takenAddresses(activated.api, predecessor?.api ?? []);
  const cycle = new LifeCycle({ settings, api, token, version, log, outlet }, (state) => control.turn(state));
  const host = new TakeoverHost({
    node: cycle,
    spawnSuccessor: () => spawnSuccessor(inherited),
    timeoutMs: settings.takeoverTimeoutMs,
    log,
    endPeer: (pid) => endHolder(settings.dataDirectory, pid),
    onSuccessor: (pid) => notifier.successor(pid),
  });
  const control = new ControlDoor(settings.dataDirectory, host, log);
  await predecessor?.yieldControl();
  const manifest = boot?.manifest ?? readBootManifest(settings.dataDirectory);
  let node: RunningNode;
  try {
    node = await cycle.start({ manifest, booted: boot?.snapshot, lock });
    if (predecessor !== undefined) await replace(predecessor, start);
  } catch (error) {
    await cycle.stop();
    throw error;
  }
  tellTransport(outlet, settings, log);
  await keepProtection(start, log);
  process.stdout.write(welcome(node, outlet.listening, settings));
  const status = `serving DNS on ${outlet.listening.map(formatListenAddress).join(', ')}`;
  notifier.ready(status);
  signals.onReload(() => {
    void reloadProtection(start, log);
    void reload(cycle, notifier, status, log);
  });
  signals.onRestart(() => void restart(host, log));
  const end = await Promise.race([signals.stop.then(() => 'told'), host.left.then(() => 'left')]);
  if (end === 'left') return 0;
  process.stdout.write('meridian stops\n');
  notifier.stopping();
  await host.stop();
  await cycle.stop();
  return 0;
}

/** All new queries come here; the predecessor answers what it has, and leaves. */
async function replace(predecessor: Predecessor, { outlet, older }: NodeStart): Promise<void> {
  if (older !== undefined) outlet.server?.claimTraffic(older);
  await predecessor.leave();
  if (older !== undefined) outlet.server?.releaseClaim();
}

/** The control socket is there while the control plane is: whoever connects finds a node that can hand over. */
class ControlDoor {
  readonly #dataDirectory: string;
  readonly #host: TakeoverHost;
  readonly #log: Logger;
  #close: (() => void) | undefined;

  constructor(dataDirectory: string, host: TakeoverHost, log: Logger) {
    this.#dataDirectory = dataDirectory;
    this.#host = host;
    this.#log = log;
  }

  async turn(state: 'open' | 'closed'): Promise<void> {
    this.#close?.();
    this.#close = undefined;
    if (state === 'closed') return;
    try {
      const server = await listenControl(this.#dataDirectory, (socket) => this.#host.accept(socket));
      // Connections that are there go on: one of them is the successor's.
      this.#close = () => void server.close();
    } catch (error) {
      // Some file systems have no sockets; everything else works all the same.
      this.#log.warn({ err: error }, 'this node cannot be restarted by takeover');
    }
  }
}

async function reload(cycle: LifeCycle, notifier: Notifier, status: string, log: Logger): Promise<void> {
  if (cycle.node === undefined) {
    log.warn('nothing is read again while another process takes over');
    return;
  }
  notifier.reloading();
  await cycle.node.reload();
  notifier.ready(status);
}

/** A bad file is told, and what was there before stays. */
async function reloadProtection(start: NodeStart, log: Logger): Promise<void> {
  const { protection, outlet } = start;
  try {
    const read = await protection.read();
    if (!read.ok) {
      log.error({ problems: read.problems }, 'the protection file has mistakes; what was there before stays');
      return;
    }
    await outlet.protect(read.value);
    log.info('protection read again');
  } catch (error) {
    log.error({ err: error }, 'protection could not be changed; what was there before stays');
    return;
  }
  await keepProtection(start, log);
}

async function keepProtection({ protection }: NodeStart, log: Logger): Promise<void> {
  try {
    await protection.keep();
  } catch (error) {
    log.warn({ err: error }, 'the protection could not be kept for the next start');
  }
}

async function restart(host: TakeoverHost, log: Logger): Promise<void> {
  try {
    await host.restart();
  } catch (error) {
    // What goes wrong later is told by the takeover itself.
    log.error({ err: error }, 'this process goes on');
  }
}

/** A sentence for what an operator can mend; undefined for a bug. */
function reasonFor(error: unknown): string | undefined {
  if (error instanceof StartError) return formatProblems(error.problems);
  const known = [ListenError, StoreError, DemoListenError, TakeoverError].some(
    (kind) => error instanceof kind,
  );
  return known && error instanceof Error ? error.message : undefined;
}

async function readToken(source: TokenSource): Promise<string | undefined> {
  if (source.kind === 'none') return undefined;
  if (source.kind === 'text') return source.text;
  let text: string;
  try {
    text = await readFile(source.file, 'utf8');
  } catch (error) {
    const why = reasonOf(error);
    const message = `the token file ${source.file} cannot be read (${why}); create it or correct --token-file`;
    throw new StartError([{ code: 'unreadable-token', path: '', message }]);
  }
  const token = parseToken(text, source.file);
  if (!token.ok) throw new StartError(token.problems);
  return token.value;
}

/** Node's own sockets are a choice or a want; the second is worth a line. */
function tellTransport(outlet: DnsOutlet, settings: Settings, log: Logger): void {
  const sockets = outlet.server?.sockets;
  if (sockets === 'addon' || settings.sockets === 'node') log.info({ sockets }, 'DNS is served');
  else
    log.warn(
      { sockets },
      'DNS is served without the addon, at about 40 % of the speed; build it with "npm run build" where there is a C compiler, or choose --sockets node',
    );
}
