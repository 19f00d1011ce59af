import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Host } from './cluster-nodes.ts';

/**
 * Hosts of our own, each a network namespace, on one switch:
 *
 *     this process's namespace: br0 10.77.0.254 ─┬─ e0 of the host `ams` 10.77.0.1
 *                                                ├─ e0 of the host `fra` 10.77.0.2
 *                                                └─ …
 *
 * This process has to run in network and mount namespaces of its own (`COMMAND`), so that nothing here touches the
 * machine, and everything ends with it. Faults are rules in the host's own namespace; what comes from this process
 * always passes, since it asks the nodes.
 */
export class Network {
  readonly #hosts = new Map<string, string>();

  constructor() {
    ip('link', 'set', 'lo', 'up');
    ip('link', 'add', 'br0', 'type', 'bridge');
    ip('addr', 'add', `${OWN_ADDRESS}/24`, 'dev', 'br0');
    ip('link', 'set', 'br0', 'up');
  }

  host(name: string): Host {
    const space = `${SPACE}-${name}`;
    const address = `10.77.0.${this.#hosts.size + 1}`;
    this.#hosts.set(name, address);
    ip('netns', 'add', space);
    // Names of interfaces have at most 15 octets.
    const port = `port${this.#hosts.size}`;
    ip('link', 'add', port, 'type', 'veth', 'peer', 'name', 'e0', 'netns', space);
    ip('link', 'set', port, 'master', 'br0', 'up');
    for (const device of ['lo', 'e0']) ip('-n', space, 'link', 'set', device, 'up');
    ip('-n', space, 'addr', 'add', `${address}/24`, 'dev', 'e0');
    return { address, launcher: ['ip', 'netns', 'exec', space] };
  }

  addressOf(name: string): string {
    const address = this.#hosts.get(name);
    if (address === undefined) throw new Error(`there is no host ${name}`);
    return address;
  }

  /**
   * What happens to packets that a host takes in (`input`) and sends (`output`), as statements of nftables; without
   * `peers`, to those of all other hosts. Nobody is told of what is dropped.
   */
  fault(
    name: string,
    rules: { readonly input?: string; readonly output?: string },
    peers: readonly string[] = [...this.#hosts.keys()],
  ): void {
    const others = peers
      .filter((peer) => peer !== name)
      .map((peer) => this.addressOf(peer))
      .join(', ');
    const chain = (hook: 'input' | 'output', match: string): string =>
      rules[hook] === undefined
        ? ''
        : `chain ${hook} { type filter hook ${hook} priority -5; ip ${match} { ${others} } ${rules[hook]}; }`;
    this.#rules(name, `${chain('input', 'saddr')}\n${chain('output', 'daddr')}`);
  }

  /** Neither takes in nor sends anything, silently. */
  isolate(name: string, peers?: readonly string[]): void {
    this.fault(name, { input: 'drop', output: 'drop' }, peers);
  }

  heal(): void {
    for (const name of this.#hosts.keys()) this.#rules(name, '');
  }

  #rules(name: string, chains: string): void {
    const text = `table inet fault\ndelete table inet fault\ntable inet fault {\n${chains}\n}\n`;
    execFileSync('ip', ['netns', 'exec', `${SPACE}-${name}`, 'nft', '-f', '-'], { input: text });
  }
}

const SPACE = `meridian-${process.pid}`;
const OWN_ADDRESS = '10.77.0.254';

/** Goes over to namespaces of our own. */
export const COMMAND = ['unshare', '--net', '--mount'] as const;

/** Why there can be no namespaces here; undefined where there can. */
export function whyNot(): string | undefined {
  for (const [tool, what] of [
    ['/usr/sbin/ip', 'iproute2'],
    ['/usr/sbin/nft', 'nftables'],
  ] as const)
    if (!existsSync(tool)) return `${what} is not installed`;
  const [command, ...args] = COMMAND;
  const script = 'ip link add br0 type bridge && mount -t tmpfs none /mnt && nft list ruleset';
  const tried = spawnSync(command, [...args, 'sh', '-c', script], { encoding: 'utf8', env: { PATH } });
  return tried.status === 0
    ? undefined
    : `no network namespaces: ${(tried.stderr || String(tried.error)).trim()}`;
}

/** `ip` and `nft` are where users' paths do not lead. */
const PATH = `${process.env.PATH}:/usr/sbin:/sbin`;

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'], env: { PATH } });
}
