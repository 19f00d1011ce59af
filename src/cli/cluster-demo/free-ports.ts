import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { demoPlaces } from '../../demo/data-centers.ts';
import { CommandError } from '../command.ts';
import { type DemoPorts, demoNodes } from './demo-node.ts';

interface Wanted {
  readonly address: string;
  readonly port: number;
  readonly transport: 'tcp' | 'udp';
  readonly flag: string;
}

/** Throws one sentence for every port that the demo cannot have, before anything is started. */
export async function refuseTakenPorts(ports: DemoPorts): Promise<void> {
  const refusals = await Promise.all(wantedPorts(ports).map(refusalOf));
  const told = refusals.filter((refusal) => refusal !== undefined);
  if (told.length > 0) throw new CommandError(told.join('\n'));
}

function wantedPorts(ports: DemoPorts): readonly Wanted[] {
  const ofNodes = demoNodes.flatMap(({ address }): Wanted[] => [
    { address, port: ports.dns, transport: 'udp', flag: '--dns-port' },
    { address, port: ports.dns, transport: 'tcp', flag: '--dns-port' },
    { address, port: ports.api, transport: 'tcp', flag: '--api-port' },
    { address, port: ports.peer, transport: 'tcp', flag: '--peer-port' },
    { address, port: ports.behind, transport: 'tcp', flag: '--peer-port' },
  ]);
  const ofDataCenters = demoPlaces.map(
    ({ address }): Wanted => ({ address, port: ports.dataCenter, transport: 'tcp', flag: '--demo-port' }),
  );
  return [...ofNodes, ...ofDataCenters];
}

async function refusalOf(wanted: Wanted): Promise<string | undefined> {
  try {
    await (wanted.transport === 'tcp' ? tryTcp(wanted) : tryUdp(wanted));
    return undefined;
  } catch (error) {
    return sentence(wanted, error as NodeJS.ErrnoException);
  }
}

async function tryTcp({ address, port }: Wanted): Promise<void> {
  const server = createServer().listen({ host: address, port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

async function tryUdp({ address, port }: Wanted): Promise<void> {
  const socket = createSocket('udp4');
  try {
    socket.bind({ address, port, exclusive: true });
    await once(socket, 'listening');
  } finally {
    socket.close();
  }
}

function sentence({ address, port, transport, flag }: Wanted, error: NodeJS.ErrnoException): string {
  const where = `${address} port ${port} (${transport.toUpperCase()})`;
  switch (error.code) {
    case 'EADDRINUSE':
      return `${where} is taken by another program: stop it, or choose another with ${flag}`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${address}: add it to the loopback interface (macOS: sudo ifconfig lo0 alias ${address})`;
    case 'EACCES':
      return `this user may not use ${where}: choose a port above 1023 with ${flag}`;
    default:
      return `${where} cannot be used (${error.message}): choose another with ${flag}`;
  }
}
