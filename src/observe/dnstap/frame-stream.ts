import { createConnection, type Socket } from 'node:net';
import { reasonOf } from '../../config/problem.ts';
import { countMany } from '../counters.ts';
import { type ControlFrame, ControlFrames, encodeControl, encodeFrames } from './control-frame.ts';

export interface FrameStreamOptions {
  /** Path of the collector's unix socket. */
  readonly socket: string;
  readonly contentType: string;
  readonly counters: Float64Array;
  /** 0 up to 1, for the spread of the waits. */
  readonly random: () => number;
  /** Told at every change: the stream runs, or why it does not. */
  readonly onChange: (failure: string | undefined) => void;
  readonly limits?: FrameStreamLimits;
}

/** Milliseconds and octets. */
export interface FrameStreamLimits {
  /** The first wait before it is tried again; each next one is twice as long, up to the last. */
  readonly firstWaitMs: number;
  readonly lastWaitMs: number;
  /** A collector that takes longer to say hello, or to say goodbye, is none. */
  readonly handshakeMs: number;
  /** What waits for a collector that is away or slow. */
  readonly waitingOctets: number;
}

const defaultLimits: FrameStreamLimits = {
  // A collector that is started again is away for about that long.
  firstWaitMs: 1000,
  // Records are missed for at most that long after it is back.
  lastWaitMs: 30_000,
  // It is on this machine and has one line to say; a restart must not wait for it much longer.
  handshakeMs: 5000,
  // Ten thousand records of 400 octets: some seconds of a busy node, and little beside its images.
  waitingOctets: 4 * 1024 * 1024,
};

/**
 * The sending end of a bidirectional frame stream (the fstrm library's protocol) on a unix socket:
 *
 *     we         READY      START, frames ...  STOP
 *     collector       ACCEPT                        FINISH
 *
 *     away --connect--> greeting --ACCEPT--> running --close--> gone
 *      ^-----wait-----------+---lost, refused---+
 *
 * Frames that a collector does not take in time are dropped and counted; nobody waits for it.
 */
export class FrameStream {
  readonly #options: FrameStreamOptions;
  readonly #limits: FrameStreamLimits;
  #state: 'away' | 'greeting' | 'running' | 'closing' | 'gone' = 'away';
  #socket: Socket | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failuresInRow = 0;
  #frames: Buffer[] = [];
  #octets = 0;
  #whenGone: (() => void) | undefined;

  constructor(options: FrameStreamOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
    this.#connect();
  }

  /** Takes a frame to be sent at the next `flush`. */
  add(frame: Buffer): void {
    const waiting = this.#octets + (this.#socket?.writableLength ?? 0);
    if (waiting + frame.length > this.#limits.waitingOctets) {
      countMany(this.#options.counters, 'dnstap', 'dropped', 1);
      return;
    }
    this.#frames.push(frame);
    this.#octets += frame.length;
  }

  /** Sends what waits, where a collector listens. */
  flush(): void {
    if (this.#state !== 'running' || this.#frames.length === 0) return;
    const frames = this.#frames;
    this.#frames = [];
    this.#octets = 0;
    this.#socket?.write(encodeFrames(frames));
    countMany(this.#options.counters, 'dnstap', 'sent', frames.length);
  }

  /** Says goodbye in order, where there is somebody to say it to. */
  async close(): Promise<void> {
    if (this.#state !== 'running') {
      this.#leave();
      return;
    }
    this.flush();
    this.#state = 'closing';
    const gone = new Promise<void>((resolve) => {
      this.#whenGone = resolve;
    });
    this.#timer = setTimeout(() => this.#leave(), this.#limits.handshakeMs);
    this.#socket?.write(encodeControl('stop'));
    await gone;
  }

  #connect(): void {
    const socket = createConnection(this.#options.socket);
    const controls = new ControlFrames();
    let failure = 'the collector closed the connection';
    this.#socket = socket;
    this.#state = 'greeting';
    this.#timer = setTimeout(() => {
      failure = `no greeting from the collector within ${this.#limits.handshakeMs} ms`;
      socket.destroy();
    }, this.#limits.handshakeMs);
    socket.on('connect', () => socket.write(encodeControl('ready', this.#options.contentType)));
    socket.on('data', (chunk) => {
      try {
        for (const control of controls.read(chunk)) this.#hear(control);
      } catch (error) {
        failure = reasonOf(error);
        socket.destroy();
      }
    });
    socket.on('error', (error) => {
      failure = error.message;
    });
    socket.on('close', () => this.#lost(failure));
  }

  #hear({ kind, contentTypes }: ControlFrame): void {
    if (kind === 'finish') {
      if (this.#state === 'closing') this.#leave();
      return;
    }
    if (kind !== 'accept' || this.#state !== 'greeting')
      throw new Error(`the collector sent ${kind} out of turn`);
    const { contentType, counters, onChange } = this.#options;
    if (!contentTypes.includes(contentType)) throw new Error(`the collector does not take ${contentType}`);
    clearTimeout(this.#timer);
    this.#socket?.write(encodeControl('start', contentType));
    this.#state = 'running';
    this.#failuresInRow = 0;
    countMany(counters, 'dnstap', 'connected', 1);
    onChange(undefined);
    this.flush();
  }

  #lost(failure: string): void {
    clearTimeout(this.#timer);
    if (this.#state === 'gone' || this.#state === 'closing') {
      this.#leave();
      return;
    }
    // Told when it goes and when it first does not come; not at every try.
    if (this.#state === 'running' || this.#failuresInRow === 0) this.#options.onChange(failure);
    countMany(this.#options.counters, 'dnstap', 'failed', 1);
    this.#state = 'away';
    const { firstWaitMs, lastWaitMs } = this.#limits;
    const waitMs = Math.min(firstWaitMs * 2 ** this.#failuresInRow, lastWaitMs);
    this.#failuresInRow++;
    this.#timer = setTimeout(() => this.#connect(), waitMs * (0.5 + this.#options.random() / 2));
    this.#timer.unref();
  }

  #leave(): void {
    clearTimeout(this.#timer);
    this.#state = 'gone';
    countMany(this.#options.counters, 'dnstap', 'dropped', this.#frames.length);
    this.#frames = [];
    this.#octets = 0;
    this.#socket?.destroy();
    this.#whenGone?.();
  }
}
