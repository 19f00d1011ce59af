import { formatProblems } from '../../config/format-problem.ts';
import { type Parsed, parsed } from '../../config/problem.ts';
import type { SocketCounts } from '../../server/bound-address.ts';
import { ListenError } from '../../server/listen-address.ts';
import { loadNative } from '../../server/native.ts';
import { serveDns } from '../../server/serve-dns.ts';
import type { Settings } from '../../settings.ts';
import { type DirectoryLock, lockDirectory } from '../../store/directory-lock.ts';
import { StoreError } from '../../store/store-error.ts';
import { DnsOutlet } from '../dns-outlet.ts';
import { type FirstProtection, ProtectionSource } from '../protection/protection-source.ts';
import type { ActivatedSettings } from '../takeover/activated-settings.ts';
import type { Predecessor } from '../takeover/predecessor.ts';
import { takenAddresses } from '../takeover/taken-addresses.ts';
import { TakeoverError } from '../takeover/takeover-error.ts';
import { readBootManifest } from './boot-manifest.ts';
import { type BootSnapshot, readBootSnapshot } from './boot-snapshot.ts';
import { LateLog } from './late-log.ts';

/** DNS as it can be had at once. */
export interface BootedDns {
  /** What was asked for, as the sockets that were passed to this process make it. */
  readonly activated: ActivatedSettings;
  readonly outlet: DnsOutlet;
  readonly protection: ProtectionSource;
  readonly lateLog: LateLog;
  /** What the outlet serves already; undefined when the first publication starts it. */
  readonly boot: BootSnapshot | undefined;
  /** Held from before the first answer: two nodes on one data directory would share each other's queries. */
  readonly lock: DirectoryLock | undefined;
  readonly predecessor: Predecessor | undefined;
  /** Sockets of the predecessor that answer until they are claimed from it. */
  readonly older: SocketCounts | undefined;
}

/**
 * Serves DNS from the images on disk, if there are any that are whole. Nothing that it imports may import a library:
 * all that is loaded here delays the first answer.
 *
 * A process that takes over does not serve yet: the other one answers until this one knows as much.
 */
export async function bootDns(asked: Settings): Promise<BootedDns | { readonly refusal: string }> {
  const lacking = asked.sockets === 'addon' ? reasonWithoutAddon() : undefined;
  if (lacking !== undefined)
    return {
      refusal: `the addon is not there (${lacking}); build it with "npm run build", or choose --sockets auto`,
    };
  const lateLog = new LateLog();
  const protection = new ProtectionSource(asked, (problems) =>
    lateLog.warn({ problems }, "the node's own cookie secret could not be used or kept; a new one is in use"),
  );
  const first = await protection.readFirst();
  if (!first.ok) return { refusal: formatProblems(first.problems) };
  const activated = await activate(asked);
  if (!activated.ok) return { refusal: formatProblems(activated.problems) };
  try {
    return await boot({ activated: activated.value, protection, lateLog }, first.value);
  } catch (error) {
    const known = [ListenError, StoreError, TakeoverError].some((kind) => error instanceof kind);
    if (known && error instanceof Error) return { refusal: error.message };
    throw error;
  }
}

async function boot(
  { activated, protection, lateLog }: Pick<BootedDns, 'activated' | 'protection' | 'lateLog'>,
  first: FirstProtection,
): Promise<BootedDns> {
  const { settings } = activated;
  if (first.problems.length > 0)
    lateLog.error(
      { problems: first.problems },
      'the protection file has mistakes; the last good one is in use',
    );
  const predecessor = settings.start === 'takeover' ? await greetPredecessor(settings) : undefined;
  const addresses = takenAddresses(activated.dns, predecessor?.dns ?? []);
  const older = predecessor?.sockets;
  const outlet = new DnsOutlet((snapshot) =>
    serveDns({
      addresses,
      snapshot,
      log: lateLog,
      ...(settings.sockets === 'node' ? { sockets: 'node' } : {}),
      ...(settings.dnsWorkers === undefined ? {} : { udpWorkers: settings.dnsWorkers }),
      sampleEvery: settings.traffic.sampleEvery,
      samplesPerSecond: samplesPerSecond(settings),
      ...(predecessor === undefined ? { sharing: 'alone' } : { sharing: 'joined' }),
      ...(older === undefined ? {} : { older }),
    }),
  );
  await outlet.protect(first.protection);
  const parts = { activated, outlet, older, protection, lateLog, predecessor };
  if (predecessor !== undefined) return { ...parts, boot: undefined, lock: undefined };
  return { ...parts, ...(await serveLast(settings, outlet, lateLog)) };
}

/**
 * Figures of a minute are good to a percent with so many samples a second; at 250,000 queries a second one in 64 would
 * cost a thirtieth of the processor. A query log and dnstap get what was asked for.
 */
const FIGURES_PER_SECOND = 200;

function samplesPerSecond({ traffic }: Settings): number | undefined {
  return traffic.queryLog === undefined && traffic.dnstapSocket === undefined
    ? FIGURES_PER_SECOND
    : undefined;
}

async function activate(settings: Settings): Promise<Parsed<ActivatedSettings>> {
  const passed = Number(process.env.LISTEN_FDS) > 0;
  if (!passed) return parsed({ settings, dns: settings.dns, api: settings.api, inherited: [] });
  const { activatedSettings } = await import('../takeover/activated-settings.ts');
  return activatedSettings(settings, process.env, reasonWithoutAddon());
}

function reasonWithoutAddon(): string | undefined {
  const loaded = loadNative();
  return 'native' in loaded ? undefined : loaded.reason;
}

/** Undefined when no node runs there: this one then starts alone. */
async function greetPredecessor({
  dataDirectory,
  takeoverTimeoutMs,
}: Settings): Promise<Predecessor | undefined> {
  const { Predecessor } = await import('../takeover/predecessor.ts');
  return Predecessor.greet(dataDirectory, takeoverTimeoutMs, () => {
    process.stderr.write('meridian ends: the process that it was to replace goes on\n');
    // At once: the other one waits for the data directory.
    process.exit(1);
  });
}

async function serveLast(
  { dataDirectory, nodeId }: Settings,
  outlet: DnsOutlet,
  lateLog: LateLog,
): Promise<Pick<BootedDns, 'boot' | 'lock'>> {
  const manifest = readBootManifest(dataDirectory);
  if (manifest === undefined) return { boot: undefined, lock: undefined };
  const lock = lockDirectory(dataDirectory);
  try {
    const boot = readBootSnapshot(dataDirectory, manifest, new TextEncoder().encode(nodeId), Date.now());
    if (boot !== undefined) await outlet.publish(boot.snapshot);
    return { boot, lock };
  } catch (error) {
    if (error instanceof ListenError) throw error;
    lateLog.warn({ err: error }, 'what was served last cannot be served again; it is made anew');
    return { boot: undefined, lock };
  }
}
