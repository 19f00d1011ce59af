import { parentPort, workerData } from 'node:worker_threads';
import { reasonOf } from '../config/problem.ts';
import { HistoryDatabase } from './history-database.ts';
import type { HistoryReply, HistoryRequest, HistoryStart } from './history-messages.ts';

/** The thread that has the database, so that a slow disk delays neither an answer of the API nor a verdict. */
const port = parentPort;
if (port === null) throw new Error('this file is a worker');
const start: HistoryStart = workerData;
const database = new HistoryDatabase(start);

function answer(request: HistoryRequest): unknown {
  switch (request.kind) {
    case 'put':
      return database.put(request.batch, request.nowMs);
    case 'incidents':
      return database.incidents(request.filter);
    case 'incident':
      return database.incident(request.id);
    case 'deliveries':
      return database.deliveries(request.filter);
    case 'unfinished':
      return database.unfinished();
    case 'close':
      return database.close();
  }
}

port.on('message', (request: HistoryRequest) => {
  const { number } = request;
  let reply: HistoryReply;
  try {
    const value = answer(request);
    reply = { number, ok: true, value, trouble: database.trouble };
  } catch (error) {
    const text = reasonOf(error);
    reply = { number, ok: false, error: text, trouble: database.trouble };
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
});
