import { runWorker } from './run-worker.ts';
import { UdpBatchTransport } from './udp-batch-transport.ts';
import { UdpTransport } from './udp-transport.ts';

runWorker(
  (parts) => new UdpTransport(parts),
  (parts) => new UdpBatchTransport(parts),
);
