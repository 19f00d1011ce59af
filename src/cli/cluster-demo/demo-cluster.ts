import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type DemoDataCenters, startDemoDataCenters } from '../../demo/data-centers.ts';
import { CommandError } from '../command.ts';
import { writeDemoConfiguration } from './demo-directory.ts';
import { prepareIdentities } from './demo-identities.ts';
import { type DemoNode, type DemoPorts, demoNodes } from './demo-node.ts';
import { type DemoProcess, startDemoProcess } from './demo-process.ts';
import { NodeApi } from './node-api.ts';
import { NodeGate } from './node-gate.ts';

/** What is told of a node beside what the nodes tell of each other. */
export interface DemoState {
  readonly node: DemoNode;
  readonly pid: number | undefined;
  readonly isCut: boolean;
}

/** Called when a node ended though nobody asked for it. */
type OnLost = (name: string) => void;

/**
 * Three nodes on one machine, and what surrounds them:
 *
 *     demo data centers, in this process            what the nodes probe
 *     a gate for each node, in this process         what peers dial; it can be shut
 *     three processes                               nodes like any other
 */
export class DemoCluster {
  readonly #directory: string;
  readonly #ports: DemoPorts;
  readonly #onLost: OnLost;
  readonly #processes = new Map<string, DemoProcess>();
  readonly #gates: NodeGate[] = [];
  readonly #cut = new Set<string>();
  #configuration = '';
  #dataCenters: DemoDataCenters | undefined;

  constructor(directory: string, ports: DemoPorts, onLost: OnLost) {
    this.#directory = directory;
    this.#ports = ports;
    this.#onLost = onLost;
  }

  /** Rejects with what is wrong; `stop` ends what had been started. */
  async start(): Promise<void> {
    this.#configuration = await writeDemoConfiguration(this.#directory, this.#ports.dataCenter);
    await prepareIdentities(this.#directory, this.#ports);
    this.#dataCenters = await startDemoDataCenters({ port: this.#ports.dataCenter });
    for (const node of demoNodes) {
      const gate = new NodeGate({ address: node.address, port: this.#ports.behind }, (from) =>
        this.#mayPass(node, from),
      );
      await gate.open(node.address, this.#ports.peer);
      this.#gates.push(gate);
    }
    await Promise.all(demoNodes.map(({ name }) => this.startNode(name)));
  }

  /** A zone of the API's, on all nodes once it is on one. */
  async makeZone(): Promise<void> {
    await this.api(demoNodes[0].name).makeZone();
  }

  state(): readonly DemoState[] {
    return demoNodes.map((node) => ({
      node,
      pid: this.#processes.get(node.name)?.pid,
      isCut: this.#cut.has(node.name),
    }));
  }

  api(name: string): NodeApi {
    return new NodeApi(this.#node(name), this.#ports);
  }

  /** False where it runs already. */
  async startNode(name: string): Promise<boolean> {
    if (this.#processes.has(name)) return false;
    const data = join(this.#directory, name);
    await mkdir(data, { recursive: true });
    const child = startDemoProcess(this.#flagsOf(this.#node(name), data), `${data}.log`);
    this.#processes.set(name, child);
    let isReady = false;
    void child.gone.then(() => {
      // Taken out before by whoever ended it.
      if (this.#processes.get(name) !== child) return;
      this.#processes.delete(name);
      if (isReady) this.#onLost(name);
    });
    try {
      await child.ready;
      isReady = true;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      throw new CommandError(`the node ${name} did not start (see ${data}.log): ${why}`);
    }
    return true;
  }

  /** False where it does not run. */
  async kill(name: string): Promise<boolean> {
    const child = this.#processes.get(name);
    if (child === undefined) return false;
    this.#processes.delete(name);
    await child.kill();
    return true;
  }

  cut(name: string): void {
    this.#cut.add(name);
    for (const gate of this.#gates) gate.look();
  }

  heal(name: string): void {
    this.#cut.delete(name);
  }

  async breakDataCenter(name: string): Promise<boolean> {
    return (await this.#dataCenters?.break(name)) ?? false;
  }

  async mendDataCenter(name: string): Promise<boolean> {
    return (await this.#dataCenters?.mend(name)) ?? false;
  }

  /** Ends everything that was started. */
  async stop(): Promise<void> {
    const running = [...this.#processes.values()];
    this.#processes.clear();
    await Promise.all(running.map((child) => child.stop()));
    await Promise.all(this.#gates.map((gate) => gate.close()));
    await this.#dataCenters?.close();
  }

  #mayPass(to: DemoNode, from: string): boolean {
    const sender = demoNodes.find(({ address }) => address === from);
    return !this.#cut.has(to.name) && !(sender !== undefined && this.#cut.has(sender.name));
  }

  #flagsOf({ name, address, region }: DemoNode, data: string): readonly string[] {
    const [first] = demoNodes;
    const { dns, api } = this.#ports;
    const configuration = name === first.name ? this.#configuration : 'none';
    return [
      ...['--config', configuration, '--data', data, '--node-id', name, '--region', region],
      ...['--dns', `${address}:${dns}`, '--api', `${address}:${api}`],
      // Three nodes share the processors of one machine.
      ...['--dns-workers', '1'],
    ];
  }

  #node(name: string): DemoNode {
    const node = demoNodes.find((one) => one.name === name);
    if (node === undefined) throw new CommandError(`there is no node ${name}`);
    return node;
  }
}
