import { runWorker } from './run-worker.ts';
import { UdpTransport } from './udp-transport.ts';

runWorker((parts) => new UdpTransport(parts));
