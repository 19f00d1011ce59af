import { z } from 'zod';
import { endpointHealthSchema, vantageSightSchema } from '../answer-schemas.ts';
import type { ControlPlane } from '../control-plane.ts';
import { JSON_MEDIA_TYPE, json } from '../reply.ts';
import type { Route } from '../route.ts';

/** `/v1/health`: what this node believes about every endpoint, and why; and how much each vantage sees. */
export function healthRoute(plane: ControlPlane): Route {
  return {
    method: 'get',
    path: '/v1/health',
    operationId: 'listHealth',
    tag: 'state',
    summary: 'Every endpoint with its verdict, since when, and the last probe result.',
    answers: [
      {
        status: 200,
        description: 'All endpoints, and the vantages that should vote on them.',
        mediaType: JSON_MEDIA_TYPE,
        schema: z.object({ items: z.array(endpointHealthSchema), vantages: z.array(vantageSightSchema) }),
      },
    ],
    refusals: [],
    run: () => json({ items: plane.health(), vantages: plane.vantages() }),
  };
}
