import { runWorker } from './run-worker.ts';
import { TcpBatchTransport } from './tcp-batch-transport.ts';
import { TcpTransport } from './tcp-transport.ts';

runWorker(
  (parts) => new TcpTransport(parts),
  (parts) => new TcpBatchTransport(parts),
);
