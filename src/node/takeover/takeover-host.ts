import type { Socket } from 'node:net';
import { reasonOf } from '../../config/problem.ts';
import {
  type ControlReply,
  type ControlRequest,
  onMessage,
  type Standing,
  sendMessage,
  TAKEOVER_PROTOCOL,
} from './takeover-messages.ts';

/** What a takeover does with the node that runs. */
export interface TakenOver {
  /** Why no successor can share the sockets; undefined where one can. */
  refusal(): string | undefined;
  standing(): Standing;
  /** Closes everything but DNS. Never rejects. */
  yieldControl(): Promise<void>;
  /** All that is new comes to this node's sockets again, also where a successor has claimed it already. */
  claimTraffic(): void;
  /** After that successor's sockets have gone. */
  releaseClaim(): void;
  /** Opens again what `yieldControl` closed. Never rejects. */
  resume(): Promise<void>;
  /** Answers what has arrived and closes the DNS sockets. Never rejects. */
  leave(): Promise<void>;
}

/** A successor that this process started. */
export interface SuccessorProcess {
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
  kill(): void;
}

interface TakeoverHostParts {
  readonly node: TakenOver;
  readonly spawnSuccessor: () => SuccessorProcess;
  /** A successor that is not ready by then has failed, in milliseconds. */
  readonly timeoutMs: number;
  readonly log: {
    info(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
  /** Ends a successor that this process did not start, if it is what it said it is. */
  readonly endPeer: (pid: number) => void;
  /** Called before the successor is told to go on, with its process number. */
  readonly onSuccessor: (pid: number) => void;
}

/** A child that has closed its connection ends within this time, or is ended. */
const CHILD_END_MS = 1000;
/** A successor that was told to end and still works closes its connection in less; one that hangs is ended. */
const PEER_END_MS = 1000;

/** One takeover, from its first sign until the successor serves alone or has failed. */
interface Attempt {
  readonly child: SuccessorProcess | undefined;
  readonly outcome: PromiseWithResolvers<number>;
  timer: NodeJS.Timeout | undefined;
  pid: number;
  socket: Socket | undefined;
  stage: 'starting' | 'yielding' | 'yielded' | 'leaving';
  /** Settled when nothing is being closed for the successor. */
  yielding: Promise<void>;
}

/**
 * The side of the node that runs; see `takeover-messages.ts`. Whatever goes wrong with a successor before it is ready
 * leaves this node as it was: the successor is stopped, and what was closed for it is opened again.
 */
export class TakeoverHost {
  readonly #parts: TakeoverHostParts;
  readonly #left = Promise.withResolvers<void>();
  #attempt: Attempt | undefined;
  #stopped = false;

  constructor(parts: TakeoverHostParts) {
    this.#parts = parts;
  }

  /** Resolves when a successor serves in this node's place. */
  get left(): Promise<void> {
    return this.#left.promise;
  }

  /** Starts a successor; resolves with its process number when it serves alone, rejects with why it does not. */
  async restart(): Promise<number> {
    if (this.#attempt !== undefined) throw new Error('a restart is already under way');
    const refusal = this.#parts.node.refusal();
    if (refusal !== undefined) throw new Error(refusal);
    const child = this.#parts.spawnSuccessor();
    const attempt = this.#begin(child);
    void child.ended.then((how) => this.#fail(attempt, `the new process ended before it was ready (${how})`));
    return attempt.outcome.promise;
  }

  /** Serves one connection to the control socket. */
  accept(socket: Socket): void {
    socket.on('error', () => undefined);
    onMessage<ControlRequest>(socket, (message) => void this.#hear(socket, message));
  }

  /** This node ends: a successor that is not ready ends too. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#attempt !== undefined) await this.#fail(this.#attempt, 'this node was told to stop');
  }

  async #hear(socket: Socket, message: ControlRequest): Promise<void> {
    const attempt = this.#attempt;
    switch (message.kind) {
      case 'restart':
        return this.#restartFor(socket);
      case 'hello':
        return this.#welcome(socket, message);
      case 'yield':
        if (attempt?.socket === socket && attempt.stage === 'starting') await this.#yield(attempt, socket);
        return;
      case 'ready':
        if (attempt?.socket === socket && attempt.stage === 'yielded') await this.#leave(attempt, socket);
        return;
    }
  }

  async #restartFor(socket: Socket): Promise<void> {
    try {
      reply(socket, { kind: 'restarted', pid: await this.restart() });
    } catch (error) {
      reply(socket, { kind: 'refused', message: reasonOf(error) });
    }
    socket.end();
  }

  #welcome(socket: Socket, { protocol, pid }: { readonly protocol: number; readonly pid: number }): void {
    const refusal = this.#refusalOf(protocol);
    if (refusal !== undefined) {
      reply(socket, { kind: 'refused', message: refusal });
      socket.end();
      return;
    }
    const attempt = this.#attempt ?? this.#begin(undefined);
    attempt.socket = socket;
    attempt.pid = pid;
    socket.on('close', () => this.#lost(attempt));
    reply(socket, { kind: 'welcome', ...this.#parts.node.standing() });
  }

  /** Of a child we hear how it ended. */
  #lost(attempt: Attempt): void {
    const fail = (): void => void this.#fail(attempt, 'the new process has gone before it was ready');
    if (attempt.child === undefined) fail();
    else setTimeout(fail, CHILD_END_MS);
  }

  #refusalOf(protocol: number): string | undefined {
    if (protocol !== TAKEOVER_PROTOCOL)
      return `the node that runs is of a version that cannot hand over to this one; stop it first`;
    if (this.#stopped) return 'the node that runs is about to end';
    if (this.#attempt?.socket !== undefined) return 'another takeover is under way';
    return this.#parts.node.refusal();
  }

  #begin(child: SuccessorProcess | undefined): Attempt {
    const attempt: Attempt = {
      child,
      outcome: Promise.withResolvers<number>(),
      timer: undefined,
      pid: child?.pid ?? 0,
      socket: undefined,
      stage: 'starting',
      yielding: Promise.resolve(),
    };
    // Nobody may be waiting for a takeover that was begun by hand.
    attempt.outcome.promise.catch(() => undefined);
    const { timeoutMs, log } = this.#parts;
    attempt.timer = setTimeout(
      () => void this.#fail(attempt, `the new process was not ready within ${timeoutMs / 1000} seconds`),
      timeoutMs,
    );
    this.#attempt = attempt;
    log.info({ pid: attempt.pid }, 'a new process takes over');
    return attempt;
  }

  async #yield(attempt: Attempt, socket: Socket): Promise<void> {
    attempt.stage = 'yielding';
    attempt.yielding = this.#parts.node.yieldControl();
    await attempt.yielding;
    if (this.#attempt !== attempt || attempt.stage !== 'yielding') return;
    attempt.stage = 'yielded';
    reply(socket, { kind: 'yielded' });
  }

  async #leave(attempt: Attempt, socket: Socket): Promise<void> {
    attempt.stage = 'leaving';
    clearTimeout(attempt.timer);
    this.#parts.onSuccessor(attempt.pid);
    await this.#parts.node.leave();
    reply(socket, { kind: 'left' });
    socket.end();
    this.#parts.log.info({ pid: attempt.pid }, 'the new process serves; this one ends');
    attempt.outcome.resolve(attempt.pid);
    this.#left.resolve();
  }

  async #fail(attempt: Attempt, reason: string): Promise<void> {
    if (this.#attempt !== attempt || attempt.stage === 'leaving') return;
    const { stage } = attempt;
    // Whatever the successor says from now on is not heard.
    attempt.stage = 'leaving';
    clearTimeout(attempt.timer);
    if (attempt.socket !== undefined) {
      reply(attempt.socket, { kind: 'abort' });
      attempt.socket.end();
    }
    // It may have stopped between its claim and its word, and then nobody would answer.
    if (stage !== 'starting') this.#parts.node.claimTraffic();
    attempt.child?.kill();
    await attempt.child?.ended;
    await attempt.yielding;
    await this.#endPeer(attempt);
    this.#parts.log.error({ pid: attempt.pid, reason }, 'the takeover has failed; this process goes on');
    if (stage !== 'starting' && !this.#stopped) {
      this.#parts.node.releaseClaim();
      await this.#parts.node.resume();
    }
    this.#attempt = undefined;
    attempt.outcome.reject(new Error(reason));
  }

  /** A process that hangs neither reads that it is to end nor lets go of the data directory. */
  async #endPeer({ socket, pid }: Attempt): Promise<void> {
    if (socket === undefined || (await closedWithin(socket, PEER_END_MS))) return;
    this.#parts.endPeer(pid);
    await closedWithin(socket, PEER_END_MS);
    socket.destroy();
  }
}

function reply(socket: Socket, message: ControlReply): void {
  sendMessage(socket, message);
}

/** Whether the other side let go of the connection in time. */
function closedWithin(socket: Socket, milliseconds: number): Promise<boolean> {
  if (socket.closed) return Promise.resolve(true);
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve(true);
    });
  });
}
