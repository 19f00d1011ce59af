import { z } from 'zod';
import { nodeStatusSchema } from '../answer-schemas.ts';
import type { ClusterSource } from '../cluster-source.ts';
import type { ControlPlane } from '../control-plane.ts';
import { JSON_MEDIA_TYPE, json, text } from '../reply.ts';
import type { Route } from '../route.ts';

/** Text of the node's metrics, in the exposition format that its content type names. */
export type MetricsText = () => Promise<{ readonly contentType: string; readonly text: string }>;

const NOT_READY_STATUS = 503;

/** `/v1/status`, and what orchestrators and Prometheus ask: `/healthz`, `/readyz`, `/metrics`. */
export function statusRoutes(
  plane: ControlPlane,
  metrics: MetricsText,
  members: Pick<ClusterSource, 'isAnnounced'> | undefined,
): readonly Route[] {
  const status = { mediaType: JSON_MEDIA_TYPE, schema: nodeStatusSchema };
  return [
    {
      method: 'get',
      path: '/v1/status',
      operationId: 'readStatus',
      tag: 'state',
      summary: 'This node: version, generation, readiness, geo table, DNS addresses.',
      answers: [{ ...status, status: 200, description: 'The status.' }],
      refusals: [],
      run: () => json(plane.status()),
    },
    {
      method: 'get',
      path: '/healthz',
      operationId: 'readLiveness',
      tag: 'state',
      summary: 'Answers as long as the process works; a failure means: restart it.',
      answers: [{ status: 200, description: 'It works.', mediaType: 'text/plain', schema: z.string() }],
      refusals: [],
      run: () => text('text/plain', 'ok\n'),
    },
    {
      method: 'get',
      path: '/readyz',
      operationId: 'readReadiness',
      tag: 'state',
      summary:
        'Whether the node answers DNS from a complete snapshot and has not withdrawn; a failure means: send it no queries.',
      answers: [
        { ...status, status: 200, description: 'Ready.' },
        {
          ...status,
          status: NOT_READY_STATUS,
          description: 'Not ready, as the conditions say, or withdrawn.',
        },
      ],
      refusals: [],
      run: () => {
        const body = plane.status();
        const isWanted = body.ready && (members?.isAnnounced() ?? true);
        return json(body, isWanted ? 200 : NOT_READY_STATUS);
      },
    },
    {
      method: 'get',
      path: '/metrics',
      operationId: 'readMetrics',
      tag: 'state',
      summary: 'Metrics for Prometheus.',
      answers: [{ status: 200, description: 'The metrics.', mediaType: 'text/plain', schema: z.string() }],
      refusals: [],
      run: async () => {
        const { contentType, text: content } = await metrics();
        return text(contentType, content);
      },
    },
  ];
}
