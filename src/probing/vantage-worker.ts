import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from './clock.ts';
import { createProbeKinds } from './probes/index.ts';
import { createReportBatch } from './report-batch.ts';
import { createVantage } from './vantage.ts';
import type { VantageReport, VantageRequest, VantageStart } from './vantage-messages.ts';

/** The thread that probes, so that neither a write makes a probe late nor a thousand probes a write. */
const port = parentPort;
if (port === null) throw new Error('this file is a worker');
const { name, environment }: VantageStart = workerData;

let revision = 0;
const batch = createReportBatch((observations) => {
  port.postMessage({ revision, observations, load: vantage.load } satisfies VantageReport);
});
const vantage = createVantage({
  name,
  clock: monotonicClock,
  random: () => Math.random(),
  probeKinds: createProbeKinds(environment),
  onObservation: (observation) => batch.add(observation),
});

port.on('message', (request: VantageRequest) => {
  switch (request.kind) {
    case 'targets':
      // What is in the batch is of the targets before.
      batch.flush();
      revision = request.revision;
      vantage.setTargets(request.targets, request.known);
      return;
    case 'stop':
      void vantage.stop().then(() => {
        batch.close();
        port.close();
      });
  }
});
