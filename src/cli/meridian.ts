#!/usr/bin/env node
/** Older versions lack type stripping, `Promise.withResolvers` and more; they fail in ways that explain nothing. */
const OLDEST_NODE = 24;

// Before any import: an old Node already fails on the modules themselves.
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  process.stderr.write(
    `meridian: Node ${OLDEST_NODE} or newer is needed, and this is ${process.versions.node}; install it, or run "npm start", which brings its own\n`,
  );
  process.exitCode = 1;
} else {
  // Half of a start is reading our own code; where the cache cannot be written, Node goes on without.
  const { enableCompileCache } = await import('node:module');
  enableCompileCache();
  // `| head`, or a `tee` that Ctrl-C ended too: that nobody reads any more must not end a node in the middle.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const { runCommandLine } = await import('./run-command-line.ts');
  process.exitCode = await runCommandLine(process.argv.slice(2), {
    env: process.env,
    out: (text) => process.stdout.write(`${text}\n`),
    err: (text) => process.stderr.write(`${text}\n`),
  });
}
