import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultNames } from './cluster-faults.ts';
import { PATIENCE_MS } from './cluster-nodes.ts';
import { COMMAND, whyNot } from './namespaces.ts';

/* Real nodes on hosts of their own, and the faults of true networks and disks between them. */

const why = whyNot();

describe.skipIf(why !== undefined)(
  `three nodes in network namespaces${why === undefined ? '' : ` (skipped: ${why})`}`,
  { timeout: 2 * PATIENCE_MS },
  () => {
    let child: ChildProcess;

    beforeAll(() => {
      const [command, ...args] = COMMAND;
      const program = join(import.meta.dirname, 'cluster-namespaces-child.ts');
      child = spawn(command, [...args, process.execPath, program], {
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
    });

    afterAll(async () => {
      if (child.exitCode !== null) return;
      child.send('stop');
      await once(child, 'message');
      child.disconnect();
      await once(child, 'exit');
    });

    it.each(faultNames)('%s', async (fault) => {
      child.send(fault);
      const [outcome] = await once(child, 'message');
      expect(outcome).toEqual({ fault, error: undefined });
    });
  },
);
