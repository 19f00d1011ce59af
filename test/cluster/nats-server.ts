import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withServers } from '../contract/debian-tools.ts';
import { eventually } from '../until.ts';
import type { Issued } from './certificates.ts';

/** Debian's `nats-server`, TLS on, on a port of its own. */
export class NatsServer {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #directory: string;

  private constructor(port: number, child: ChildProcess, directory: string) {
    this.port = port;
    this.#child = child;
    this.#directory = directory;
  }

  static async start({ certificatePem, privateKeyPem }: Issued, port = -1): Promise<NatsServer> {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-nats-'));
    writeFileSync(join(directory, 'cert.pem'), certificatePem);
    writeFileSync(join(directory, 'key.pem'), privateKeyPem, { mode: 0o600 });
    const configuration = `
      host: "127.0.0.1", port: ${port}, ports_file_dir: "${directory}"
      tls { cert_file: "${directory}/cert.pem", key_file: "${directory}/key.pem", timeout: 10 }`;
    writeFileSync(join(directory, 'nats.conf'), configuration);
    const child = spawn('nats-server', ['-c', join(directory, 'nats.conf')], {
      stdio: 'ignore',
      env: withServers,
    });
    const found = await eventually(async () => portIn(directory), {
      withinMs: 20_000,
      what: 'nats-server listens',
    });
    return new NatsServer(found, child, directory);
  }

  async stop(): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await exited;
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** What the server has written about where it listens; undefined before it does. */
function portIn(directory: string): number | undefined {
  const file = readdirSync(directory).find((name) => name.endsWith('.ports'));
  if (file === undefined) return undefined;
  const text = readFileSync(join(directory, file), 'utf8');
  const port = /:(\d+)"/.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}
