import { readFileSync, readlinkSync } from 'node:fs';
import { endianness } from 'node:os';
import type { Transport } from '../../answer/respond.ts';
import { type Parsed, parsed, refused } from '../../config/problem.ts';
import { formatAddress } from '../../dns/address.ts';
import type { ListenAddress } from '../../server/listen-address.ts';
import { MAX_LISTEN_ADDRESSES } from '../../settings/listen-addresses.ts';

/** A socket that was bound by whoever started this process. */
export interface InheritedSocket extends ListenAddress {
  readonly descriptor: number;
  readonly transport: Transport;
  /** As the unit names it (`FileDescriptorName=`); empty for none. */
  readonly name: string;
}

/** The first descriptor that is passed; those before are the standard streams (sd_listen_fds(3)). */
const FIRST_DESCRIPTOR = 3;
/** UDP and TCP of as many addresses as a node has, and as many for the API; a unit with more is a mistake. */
const MAX_INHERITED = 3 * MAX_LISTEN_ADDRESSES;

/**
 * Names the process that passes its own sockets on. `LISTEN_PID` is the number of the process that is meant, which
 * nobody knows before it runs; so our own successors are told their parent's.
 */
export const LISTEN_PARENT = 'MERIDIAN_LISTEN_PARENT';

/** The environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether sockets are passed to this process. */
export function hasInheritedSockets(env: Environment): boolean {
  const { LISTEN_FDS, LISTEN_PID } = env;
  if (!(Number(LISTEN_FDS) > 0)) return false;
  return Number(LISTEN_PID) === process.pid || Number(env[LISTEN_PARENT]) === process.ppid;
}

/**
 * The sockets that the environment says are passed; what each is, the system tells. Node has no call for that, so it
 * is read from `/proc`. All problems come at once.
 */
export function inheritedSockets(env: Environment): Parsed<readonly InheritedSocket[]> {
  const count = Number(env.LISTEN_FDS);
  if (!Number.isInteger(count) || count < 1 || count > MAX_INHERITED)
    return refused(
      'bad-listen-fds',
      'LISTEN_FDS',
      `LISTEN_FDS: "${env.LISTEN_FDS}" is not a number of sockets.`,
    );
  const names = (env.LISTEN_FDNAMES ?? '').split(':');
  const known = boundSockets();
  const sockets: InheritedSocket[] = [];
  const strange: number[] = [];
  for (let index = 0; index < count; index++) {
    const descriptor = FIRST_DESCRIPTOR + index;
    const bound = known.get(socketOf(descriptor));
    if (bound === undefined) strange.push(descriptor);
    else sockets.push({ ...bound, descriptor, name: names[index] ?? '' });
  }
  if (strange.length === 0) return parsed(sockets);
  const message = `descriptor ${strange.join(', ')} is no bound UDP or listening TCP socket; correct the socket unit.`;
  return refused('bad-listen-fds', 'LISTEN_FDS', message);
}

type Bound = Pick<InheritedSocket, 'address' | 'port' | 'transport'>;

/** The number by which `/proc/net` knows a socket. */
function socketOf(descriptor: number): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${descriptor}`))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** What waits for connections, in the column of states of `/proc/net/tcp`. */
const TCP_LISTEN = '0A';

function boundSockets(): ReadonlyMap<string, Bound> {
  const found = new Map<string, Bound>();
  for (const table of ['udp', 'udp6', 'tcp', 'tcp6']) {
    const transport = table.startsWith('udp') ? 'udp' : 'tcp';
    for (const line of linesOf(`/proc/net/${table}`)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (transport === 'tcp' && state !== TCP_LISTEN) continue;
      found.set(inode, { ...parseLocal(local), transport });
    }
  }
  return found;
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'latin1').split('\n').slice(1).filter(Boolean);
  } catch {
    return [];
  }
}

/** `0100007F:14B4`: words of four octets in the machine's own order, and a port. */
function parseLocal(text: string): ListenAddress {
  const [address = '', port = ''] = text.split(':');
  const octets = Buffer.from(address, 'hex');
  if (endianness() === 'LE') octets.swap32();
  return { address: formatAddress(octets), port: Number.parseInt(port, 16) };
}
