import { z } from 'zod';
import type { EventStreams } from '../event-stream.ts';
import { refuse } from '../reply.ts';
import type { Route } from '../route.ts';

const RETRY_AFTER_SECONDS = '10';

/** `/v1/events`: server-sent events. */
export function eventsRoute(streams: EventStreams): Route {
  return {
    method: 'get',
    path: '/v1/events',
    operationId: 'followEvents',
    tag: 'state',
    summary:
      'A stream of server-sent events: `change` after every change of configuration, verdicts or problems.',
    answers: [
      {
        status: 200,
        description: 'Events; the data of `change` is `{"generation": 7}`.',
        mediaType: 'text/event-stream',
        schema: z.string(),
      },
    ],
    refusals: ['overloaded'],
    run: () => {
      if (!streams.full()) return { kind: 'stream', open: streams.open };
      const headers = { 'Retry-After': RETRY_AFTER_SECONDS };
      return refuse('overloaded', 'As many event streams as this node allows are open.', [], headers);
    },
  };
}
