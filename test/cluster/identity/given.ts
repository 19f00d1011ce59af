import { mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import {
  ClusterIdentity,
  type ClusterIdentityOptions,
} from '../../../src/cluster/identity/cluster-identity.ts';
import { createCluster, nodeOf } from '../../../src/cluster/identity/create-cluster.ts';
import { createIdentityFiles, type IdentityFiles } from '../../../src/cluster/identity/identity-files.ts';
import { JoinListener, type JoinListenerOptions } from '../../../src/cluster/identity/join-listener.ts';
import { JOIN_PROTOCOL } from '../../../src/cluster/identity/join-messages.ts';
import type { MemberStore } from '../../../src/cluster/identity/member-config.ts';
import { nodeChange } from '../../../src/cluster/identity/member-config.ts';
import { openStore } from '../../../src/store/open-store.ts';
import type { Store } from '../../../src/store/store.ts';

export const alice = { author: 'alice', reason: 'a test' } as const;

const DAY_MS = 24 * 60 * 60 * 1000;

/** Directories, stores and listeners of one test, gone after it. */
export class Stage {
  readonly #directories: string[] = [];
  readonly #stores: Store[] = [];
  readonly #servers: Server[] = [];
  /** Real time, moved by days. */
  days = 0;

  readonly now = (): Date => new Date(Date.now() + this.days * DAY_MS);

  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), 'meridian-identity-'));
    this.#directories.push(directory);
    return directory;
  }

  async members(directory = this.directory()): Promise<MemberStore> {
    const store = await openStore({ directory, now: this.now });
    this.#stores.push(store);
    return {
      get config() {
        return store.config;
      },
      write: async (changes, authorship) => {
        await store.commit(changes, authorship);
        return { ok: true };
      },
    };
  }

  /** A cluster of one node, on disk and in a store of its own. */
  async firstNode(changed: Partial<ClusterIdentityOptions> = {}): Promise<FirstNode> {
    const dataDirectory = this.directory();
    const files = createCluster(node('fra-1'), this.now().getTime());
    await createIdentityFiles(dataDirectory, files);
    const members = await this.members(dataDirectory);
    await members.write([nodeChange(nodeOf(files, this.now()))], alice);
    const events: string[] = [];
    const identity = new ClusterIdentity({
      dataDirectory,
      files,
      members,
      now: this.now,
      log: () => undefined,
      onRenewed: () => events.push('renewed'),
      onLeft: () => events.push('left'),
      ...changed,
    });
    return { dataDirectory, files, members, identity, events };
  }

  /** Listens on loopback as the transport does, with one protocol. */
  async listen(
    files: IdentityFiles,
    members: MemberStore,
    changed: Partial<JoinListenerOptions> = {},
  ): Promise<Listening> {
    const logged: string[] = [];
    const listener = new JoinListener({
      identity: () => files,
      members,
      sealKeys: () => [],
      now: this.now,
      log: (_, fields, message) => logged.push(`${message}: ${String(fields.why ?? fields.err ?? '')}`),
      ...changed,
    });
    const server = createServer((socket) => {
      const secured = new TLSSocket(socket, {
        isServer: true,
        cert: files.certificatePem,
        key: files.privateKeyPem,
        ALPNProtocols: [JOIN_PROTOCOL],
        minVersion: 'TLSv1.3',
        requestCert: true,
        rejectUnauthorized: false,
      });
      secured.on('error', () => socket.destroy());
      secured.once('secure', () => listener.take(secured));
    });
    this.#servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return { address: `127.0.0.1:${port}`, port, listener, logged };
  }

  /** Ends the stores, so that somebody else can open them. */
  async close(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
  }

  async clear(): Promise<void> {
    this.days = 0;
    for (const server of this.#servers.splice(0)) server.close();
    await this.close();
    for (const directory of this.#directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  }
}

export interface FirstNode {
  readonly dataDirectory: string;
  readonly files: IdentityFiles;
  readonly members: MemberStore;
  readonly identity: ClusterIdentity;
  readonly events: readonly string[];
}

interface Listening {
  readonly address: string;
  readonly port: number;
  readonly listener: JoinListener;
  readonly logged: readonly string[];
}

export function node(name: string): Parameters<typeof createCluster>[0] {
  return {
    name,
    region: 'eu',
    role: 'full',
    listen: '127.0.0.1:7053',
    advertise: ['192.0.2.1:7053', '[2001:db8::1]:7053'],
    transport: { kind: 'mesh' },
    peers: [],
  };
}
