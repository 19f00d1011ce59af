import { z } from 'zod';
import { demoDataCenterSchema } from '../answer-schemas.ts';
import type { ControlPlane, Demo } from '../control-plane.ts';
import { JSON_MEDIA_TYPE, json, type ProblemReply, refuse } from '../reply.ts';
import type { Answer, Route } from '../route.ts';

const listAnswer: Answer = {
  status: 200,
  description: 'The data centers.',
  mediaType: JSON_MEDIA_TYPE,
  schema: z.object({ items: z.array(demoDataCenterSchema) }),
};

/** `/v1/demo`: the demo's data centers, to be broken and mended. 404 on a node that runs no demo. */
export function demoRoutes(plane: ControlPlane): readonly Route[] {
  return [
    {
      method: 'get',
      path: '/v1/demo',
      operationId: 'listDemo',
      tag: 'demo',
      summary: 'The data centers of the demo.',
      answers: [listAnswer],
      refusals: ['not-found'],
      run: () => (plane.demo === undefined ? noDemo() : json({ items: plane.demo.list() })),
    },
    actRoute(plane, 'break', 'Stops the servers of a data center of the demo, as a crash would.'),
    actRoute(plane, 'mend', 'Starts the servers of a data center of the demo again.'),
  ];
}

function actRoute(plane: ControlPlane, act: keyof Demo & ('break' | 'mend'), summary: string): Route {
  return {
    method: 'post',
    path: `/v1/demo/data-centers/{dataCenter}/${act}`,
    operationId: `${act}DemoDataCenter`,
    tag: 'demo',
    summary,
    parameters: { dataCenter: 'Name of the data center.' },
    answers: [listAnswer],
    refusals: ['not-found'],
    run: async (request) => {
      if (plane.demo === undefined) return noDemo();
      const name = request.params.dataCenter ?? '';
      const done = await plane.demo[act](name);
      return done
        ? json({ items: plane.demo.list() })
        : refuse('not-found', `The demo has no data center ${name}.`);
    },
  };
}

function noDemo(): ProblemReply {
  return refuse('not-found', 'This node runs no demo.');
}
