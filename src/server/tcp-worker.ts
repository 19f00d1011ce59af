import { runWorker } from './run-worker.ts';
import { TcpTransport } from './tcp-transport.ts';

runWorker(
  (parts) => new TcpTransport(parts),
  (parts) => new TcpTransport(parts),
);
