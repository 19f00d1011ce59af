import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a receiver was sent. */
interface ReceivedMessage {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies of several formats.
  readonly body: any;
}

export type ReceiverAnswer = (response: ServerResponse, request: IncomingMessage) => void;

/** A real HTTP server on loopback that answers as it is told. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedMessage[];
  /** How the next requests are answered; the last answer stays. */
  answerWith(...answers: readonly ReceiverAnswer[]): void;
  /** Resolves when so many messages have come. */
  have(count: number): Promise<void>;
  close(): Promise<void>;
}

export function status(code: number, headers: Record<string, string> = {}, text = ''): ReceiverAnswer {
  return (response) => void response.writeHead(code, headers).end(text);
}

export const resets: ReceiverAnswer = (response) => void response.socket?.resetAndDestroy();

export const hangs: ReceiverAnswer = () => {};

/** Begins to answer and never ends. */
export const streams: ReceiverAnswer = (response) => {
  response.writeHead(200);
  const write = (): void => {
    if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(write));
  };
  write();
};

/** Says for ever that it is at work (RFC 9110 section 15.2). */
export const staysAtWork: ReceiverAnswer = ({ socket }) => {
  const interim = 'HTTP/1.1 102 Processing\r\n\r\n'.repeat(100);
  const write = (): void => {
    if (socket?.writable === true) socket.write(interim, () => setImmediate(write));
  };
  write();
};

export async function startReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedMessage[] = [];
  let answers: readonly ReceiverAnswer[] = [status(200)];
  let waiting: { readonly count: number; readonly resolve: () => void }[] = [];
  const server = createServer(async (request, response) => {
    let text = '';
    for await (const part of request) text += part;
    received.push({ headers: request.headers, text, body: JSON.parse(text) });
    const [answer = status(200), ...rest] = answers;
    if (rest.length > 0) answers = rest;
    answer(response, request);
    for (const { count, resolve } of waiting) if (received.length >= count) resolve();
    waiting = waiting.filter(({ count }) => received.length < count);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/hook`,
    received,
    answerWith: (...given) => {
      answers = given;
    },
    have: (count) =>
      new Promise((resolve) => {
        if (received.length >= count) resolve();
        else waiting.push({ count, resolve });
      }),
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
