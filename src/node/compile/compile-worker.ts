import { dirname } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { openCollector } from '../../collector.ts';
import { type Parsed, parsed } from '../../config/problem.ts';
import { openMap } from '../../geo/map.ts';
import { openGeoTable } from '../../geo/table.ts';
import { loadGeoTable, loadShippedTable, shippedTablePath } from '../../geofiles/load-geo.ts';
import { signatureOf } from '../../geofiles/watch-geo-files.ts';
import { deferCompilation } from '../../server/thread-priority.ts';
import { compileMap } from '../../steering/compile-map.ts';
import { keepBoot, servedImages } from '../boot/keep-boot-job.ts';
import { readPage } from '../zones/read-zone-image.ts';
import { readZoneFileJob } from '../zones/zone-file-job.ts';
import type { CompileJob, CompileReply, CompileRequest, CompileResults } from './compile-job.ts';
import { compileZoneJob } from './compile-zone-job.ts';
import { ImageCache } from './image-cache.ts';
import { allocateImage } from './image-memory.ts';

/** These count up with every change of a layout, or of the code that makes it. */
const MAP_FORMAT = 'map 2';
const TABLE_FORMAT = 'geo table 1';

/** The thread that compiles: one job after the other, so that only one large table is in the making. */
const port = parentPort;
if (port === null) throw new Error('this file is a worker');
deferCompilation();
const imageDirectory = String(workerData);
const dataDirectory = dirname(imageDirectory);
const cache = new ImageCache(imageDirectory, () => servedImages(dataDirectory));

const collect = openCollector();
/** Their scratch is hundreds of megabytes of arrays; the next job's would come on top of it before it is collected. */
const leavesMuch: ReadonlySet<CompileJob['kind']> = new Set(['geo-table', 'map', 'zone-file', 'zone']);

let last: Promise<void> = Promise.resolve();
port.on('message', (request: CompileRequest) => {
  last = last.then(async () => {
    const answer = await reply(request);
    port.postMessage(answer, buffersToMove(answer));
    if (leavesMuch.has(request.job.kind)) collect({ type: 'major' });
    // Of shared memory the collector counts nothing: both images would stay.
    else if (request.job.kind === 'copy') collect({ type: 'minor' });
  });
});

async function reply({ id, job }: CompileRequest): Promise<CompileReply> {
  try {
    return { id, result: await run(job) };
  } catch (error) {
    return { id, failure: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

/** The text of a large zone is moved: nobody needs it here any more. */
function buffersToMove(answer: CompileReply): readonly ArrayBuffer[] {
  if (!('result' in answer) || typeof answer.result !== 'object' || !('text' in answer.result)) return [];
  const { buffer } = answer.result.text;
  return buffer instanceof ArrayBuffer ? [buffer] : [];
}

async function run(job: CompileJob): Promise<CompileResults[CompileJob['kind']]> {
  switch (job.kind) {
    case 'zone':
      return compileZoneJob(job.zone);
    case 'zone-file':
      return readZoneFileJob(job.file);
    case 'page':
      return readPage(job.page);
    case 'copy':
      new Uint8Array(job.to).set(new Uint8Array(job.from));
      return undefined;
    case 'map': {
      const table = openGeoTable(job.geoTable);
      const inputs = [MAP_FORMAT, table.metadata.digest, JSON.stringify(job.source)];
      const cached = cache.load(inputs);
      if (cached !== undefined && opens(openMap, cached)) return cached;
      const image = compileMap(job.source, table, allocateImage);
      cache.keep(inputs, image);
      return image;
    }
    case 'geo-table':
      return geoTable(job.paths);
    case 'keep-boot':
      return keepBoot(cache, dataDirectory, job.served);
  }
}

/** Unpacking and joining geo files takes seconds; as long as the same files lie there, the table is read instead. */
async function geoTable(paths: readonly string[]): Promise<Parsed<SharedArrayBuffer>> {
  const inputs = [TABLE_FORMAT, await signatureOf(paths.length === 0 ? [shippedTablePath] : paths)];
  const cached = cache.load(inputs);
  if (cached !== undefined && opens(openGeoTable, cached)) return parsed(cached);
  const loaded = await (paths.length === 0 ? loadShippedTable() : loadGeoTable(paths));
  if (loaded.ok) cache.keep(inputs, loaded.value);
  return loaded;
}

/** A cached image that is not what it should be is made anew. */
function opens(open: (image: SharedArrayBuffer) => unknown, image: SharedArrayBuffer): boolean {
  try {
    open(image);
    return true;
  } catch {
    return false;
  }
}
