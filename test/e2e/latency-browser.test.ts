import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../until.ts';
import { type ApiClient, apiClient } from './api-client.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const CHROMIUM = '/usr/bin/chromium';
const script = readFileSync(join(import.meta.dirname, '..', '..', 'deploy', 'browser', 'measure.js'));
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];

it('is small and needs nothing', () => {
  const text = script.toString();
  expect(text.split('\n').length).toBeLessThan(100);
  expect(text).not.toMatch(/\b(import|require)\b/);
});

describe.skipIf(!existsSync(CHROMIUM))('the snippet, in Chromium, before a real node', () => {
  const data = temporaryDirectory();
  const pings: string[] = [];
  let node: NodeProcess;
  let api: ApiClient;
  let site: Server;
  let url: string;
  let browser: Browser;

  /** A site with the page, the places that are measured, and the endpoint that forwards batches. */
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '', 'http://site.invalid').pathname;
    if (path === '/measure.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (path.startsWith('/ping/')) {
      pings.push(path);
      response.end();
    } else if (path === '/latency') {
      const body = await new Response(request as never).text();
      const headers = { 'content-type': 'application/json', 'x-real-ip': '192.0.2.9' };
      const forwarded = await fetch(`${node.api}/v1/latency/measurements?client=self`, {
        method: 'POST',
        headers,
        body,
      });
      response.writeHead(forwarded.status).end();
    } else {
      const targets = JSON.stringify({ fra: '/ping/fra', sin: '/ping/sin', ams: 'http://127.0.0.1:1/none' });
      const page = `<script async src="/measure.js" data-report="/latency" data-share="1" data-targets='${targets}'></script>`;
      response.setHeader('content-type', 'text/html').end(page);
    }
  }

  beforeAll(async () => {
    node = await startNodeProcess([
      ...['--data', data.path, '--config', 'none', '--measurement-client-header', 'X-Real-IP'],
    ]);
    api = apiClient(node.api);
    for (const name of ['ams', 'fra', 'sin'])
      await api.put(`/v1/data-centers/${name}`, { name, latitude: 50, longitude: 8 });
    site = createServer((request, response) => void serve(request, response));
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    url = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath: CHROMIUM, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
    site?.closeAllConnections();
    await node?.stop();
    data.remove();
  });

  it('measures what answers and reports it for the address that the forwarder names', async () => {
    const page = await browser.newPage();
    await page.goto(url);
    const known = await eventually(
      async () => {
        const { client } = await api.get<{
          readonly client: {
            readonly groups: readonly { readonly dataCenters: readonly { readonly dataCenter: string }[] }[];
          };
        }>('/v1/latency?client=192.0.2.1');
        const names = client.groups[0]?.dataCenters.map(({ dataCenter }) => dataCenter) ?? [];
        return names.length > 0 ? names : undefined;
      },
      { withinMs: 20_000, what: 'a report' },
    );
    expect(known).toEqual(['fra', 'sin']);
    // One that opens the connection, and three that count.
    expect(pings.toSorted()).toEqual([...new Array(4).fill('/ping/fra'), ...new Array(4).fill('/ping/sin')]);
  });
});
