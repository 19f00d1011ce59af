import { type Parsed, parsed, refused } from '../../config/problem.ts';
import type { WantedAddress } from '../../server/bound-address.ts';
import { formatListenAddress, type ListenAddress } from '../../server/listen-address.ts';
import { isLoopback, MAX_LISTEN_ADDRESSES } from '../../settings/listen-addresses.ts';
import { tokenNeeded } from '../../settings/token-source.ts';
import type { Settings } from '../../settings.ts';
import {
  type Environment,
  hasInheritedSockets,
  type InheritedSocket,
  inheritedSockets,
} from './inherited-sockets.ts';

/** Where to serve the API; on a socket that is bound already where there is one. */
export interface ApiAddress extends ListenAddress {
  readonly descriptor?: number;
}

/** The settings as the sockets make them. */
export interface ActivatedSettings {
  readonly settings: Settings;
  readonly dns: readonly WantedAddress[];
  readonly api: readonly ApiAddress[];
  /** All that were passed, to be passed on to a successor. */
  readonly inherited: readonly InheritedSocket[];
}

/** What the names of API sockets contain; all others are for DNS. */
const API_NAME = /api/i;

/**
 * The settings with the sockets that the environment says are passed, if those are meant for this process. `withoutAddon`
 * says why there is no addon; undefined where it is there.
 */
export function activatedSettings(
  settings: Settings,
  env: Environment,
  withoutAddon: string | undefined,
): Parsed<ActivatedSettings> {
  if (!hasInheritedSockets(env)) return activateSettings(settings, []);
  // Whoever serves on them takes a copy, or they would be closed with the first thread or server that ends.
  if (withoutAddon !== undefined)
    return refused(
      'addon-needed',
      'LISTEN_FDS',
      `LISTEN_FDS: sockets that are passed need the addon, and it is not there (${withoutAddon}); build it with "npm run build", or start the node without a socket unit.`,
    );
  const inherited = inheritedSockets(env);
  return inherited.ok ? activateSettings(settings, inherited.value) : inherited;
}

/**
 * Sorts the sockets that were passed to this process. A socket unit says where to listen in the place of `--dns` and
 * `--api`, each as soon as it has a socket for it. TCP sockets are for the API when their name says so, or their
 * address is that of `--api`.
 */
export function activateSettings(
  settings: Settings,
  inherited: readonly InheritedSocket[],
): Parsed<ActivatedSettings> {
  const apiAddresses = new Set(settings.api.map(formatListenAddress));
  const isForApi = (socket: InheritedSocket): boolean =>
    socket.transport === 'tcp' &&
    (API_NAME.test(socket.name) || apiAddresses.has(formatListenAddress(socket)));
  const apiSockets = inherited.filter(isForApi);
  const api: readonly ApiAddress[] =
    apiSockets.length === 0
      ? settings.api
      : apiSockets.map(({ address, port, descriptor }) => ({ address, port, descriptor }));
  const dnsSockets = inherited.filter((socket) => !isForApi(socket));
  const dns = dnsSockets.length === 0 ? settings.dns : dnsAddresses(dnsSockets);
  if (dns.length > MAX_LISTEN_ADDRESSES || api.length > MAX_LISTEN_ADDRESSES)
    return refused(
      'too-many-addresses',
      'LISTEN_FDS',
      `LISTEN_FDS: at most ${MAX_LISTEN_ADDRESSES} addresses for DNS and as many for the API.`,
    );
  const apiBeyondLoopback = !api.every(isLoopback);
  if (apiBeyondLoopback && settings.token.kind === 'none') return { ok: false, problems: [tokenNeeded(api)] };
  return parsed({
    settings: { ...settings, apiBeyondLoopback },
    dns,
    api,
    inherited,
  });
}

/** UDP and TCP of one address belong together. */
function dnsAddresses(sockets: readonly InheritedSocket[]): readonly WantedAddress[] {
  const groups = Map.groupBy(sockets, formatListenAddress);
  return Array.from(groups.values(), (group) => {
    const [first] = group;
    const descriptors = group.map(({ transport, descriptor }) => ({ [transport]: descriptor }));
    return Object.assign({ address: first?.address ?? '', port: first?.port ?? 0 }, ...descriptors);
  });
}
