/*
 * Endpoints whose verdicts flip: one small HTTP server behind a hundred loopback addresses. While it flips, each
 * address answers 200 and 503 in turn, so that every probe of it changes a verdict.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { DataCenter } from '../ground/geography.ts';
import { APEX, STEERED, STEERED_TTL_SECONDS } from '../ground/zones.ts';

export interface FlippingEndpoints {
  readonly port: number;
  /** From now on every probe finds another status than the one before. */
  flip(): void;
  /** From now on every probe finds 200. */
  rest(): void;
  close(): void;
}

/** Resolves when it listens. */
export async function startFlippingEndpoints(): Promise<FlippingEndpoints> {
  const probes = new Map<string, number>();
  let flipping = false;
  const server = createServer((request, response) => {
    const address = request.socket.localAddress ?? '';
    const probe = (probes.get(address) ?? 0) + 1;
    probes.set(address, probe);
    response.writeHead(flipping && probe % 2 === 0 ? 503 : 200, { Connection: 'close' }).end();
  });
  server.listen(0, '0.0.0.0');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    flip: () => {
      flipping = true;
    },
    rest: () => {
      flipping = false;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Addresses that are answered for the steered name. */
export function endpointAddresses(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `192.0.2.${index + 1}`);
}

/** A pool over these places, each endpoint probed once a second at a loopback address of its own; one result decides. */
export function probedSteering(centers: readonly DataCenter[], count: number, port: number): string {
  const endpoints = endpointAddresses(count).map((address, index) => {
    const dataCenter = centers[index % centers.length]?.name ?? '';
    const probeAddress = `127.0.1.${index + 1}`;
    return `      - { name: e${index}, dataCenter: ${dataCenter}, address: ${address}, probeAddress: ${probeAddress} }`;
  });
  return [
    'dataCenters:',
    ...centers.map(
      ({ name, latitude, longitude }) =>
        `  - { name: ${name}, latitude: ${latitude}, longitude: ${longitude} }`,
    ),
    'monitors:',
    `  - { name: each-second, kind: http, port: ${port}, intervalSeconds: 1, timeoutSeconds: 1, rise: 1, fall: 1, jitter: 0, flapping: { holdDownSeconds: 0, maxHoldDownSeconds: 0 }, settings: { host: www.${APEX} } }`,
    'pools:',
    '  - name: web',
    '    monitor: each-second',
    '    endpoints:',
    ...endpoints,
    'policies:',
    '  - { name: closest, rank: { kind: nearest } }',
    'steeredNames:',
    `  - { name: ${STEERED}, pool: web, policy: closest, ttlSeconds: ${STEERED_TTL_SECONDS} }`,
    '',
  ].join('\n');
}
