import type { ClusterSettings } from '../../cluster/identity/cluster-settings.ts';
import { splitAddress } from '../../cluster/identity/peer-address.ts';
import { Discovery, type DiscoverySource } from '../../cluster/transport/discovery.ts';
import type { Transport } from '../../cluster/transport/transport.ts';
import type { Logger } from '../../observe/log.ts';

/** Looks for peers where the settings say, beside those that the configuration names. */
export function createDiscovery(settings: ClusterSettings, transport: Transport, log: Logger): Discovery {
  const { peers, srvName, serviceName, listen } = settings;
  const sources: DiscoverySource[] = [{ kind: 'static', addresses: peers.map(splitAddress) }];
  if (srvName !== undefined) sources.push({ kind: 'srv', name: srvName });
  if (serviceName !== undefined)
    sources.push({ kind: 'host', name: serviceName, port: splitAddress(listen).port });
  return new Discovery({ sources, log, onCandidates: (addresses) => transport.setCandidates(addresses) });
}
