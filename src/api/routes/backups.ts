import { z } from 'zod';
import type { ControlPlane } from '../control-plane.ts';
import { JSON_MEDIA_TYPE, json } from '../reply.ts';
import type { Route } from '../route.ts';

/** What `POST /v1/backups` answers. */
export const backupSchema = z
  .object({
    path: z
      .string()
      .meta({ description: 'On the node, in its data directory; readable by its owner alone.' }),
    entries: z.int(),
    octets: z.int(),
  })
  .meta({ id: 'Backup' });

/** `/v1/backups`: a consistent copy of all that is configured, while the node goes on. */
export function backupRoute(plane: ControlPlane): Route {
  return {
    method: 'post',
    path: '/v1/backups',
    operationId: 'createBackup',
    tag: 'state',
    summary:
      'Writes a backup into the data directory of the node: configuration with its history, zone files, keys.',
    answers: [
      {
        status: 201,
        description: 'It is on disk, whole.',
        mediaType: JSON_MEDIA_TYPE,
        schema: backupSchema,
      },
    ],
    refusals: [],
    run: async () => json(await plane.backup(), 201),
  };
}
