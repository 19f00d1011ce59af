import { getPriority } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { loadNative } from '../../src/server/native.ts';
import { deferCompilation, favourQueries } from '../../src/server/thread-priority.ts';

/* A thread that takes the priority of its work and tells its niceness, and what was refused. */

const loaded = loadNative();
const native = 'native' in loaded ? loaded.native : undefined;
const refused = workerData === 'queries' ? favourQueries(native).refused : [];
if (workerData === 'compilation') deferCompilation();
parentPort?.postMessage({ nice: getPriority(), refused });
