import { z } from 'zod';
import { problemSchema } from '../answer-schemas.ts';
import type { ControlPlane } from '../control-plane.ts';
import { JSON_MEDIA_TYPE, json } from '../reply.ts';
import type { Route } from '../route.ts';

/** `/v1/problems`: what is wrong at present, while the node serves on. */
export function problemsRoute(plane: ControlPlane): Route {
  const schema = z.object({ items: z.array(problemSchema) });
  return {
    method: 'get',
    path: '/v1/problems',
    operationId: 'listProblems',
    tag: 'state',
    summary: 'What is wrong with the configuration or the geo table at present.',
    answers: [{ status: 200, description: 'All problems.', mediaType: JSON_MEDIA_TYPE, schema }],
    refusals: [],
    run: () => json({ items: plane.problems() }),
  };
}
