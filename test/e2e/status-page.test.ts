import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from './endpoint-process.ts';
import { type NodeProcess, startNodeProcess, temporaryDirectory } from './node-process.ts';

const CHROMIUM = '/usr/bin/chromium';
const DASHBOARD = 'dist/dashboard/index.html';
const possible = existsSync(CHROMIUM) && existsSync(DASHBOARD);

/** The page works offline; without these flags the browser itself looks for the network. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(!possible)('the status page, in Chromium, on the demo', () => {
  const data = temporaryDirectory();
  const errors: string[] = [];
  let node: NodeProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const port = await freePort('127.0.1.1');
    node = await startNodeProcess(['--data', data.path], { MERIDIAN_DEMO_PORT: String(port) });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: flags });
    page = await browser.newPage({ viewport: { width: 1280, height: 1000 } });
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
    await page.goto(node.api);
  });
  afterAll(async () => {
    await browser?.close();
    await node?.stop();
    data.remove();
  });

  it('shows every data center up, once probed', async () => {
    await page.waitForSelector('[data-data-center="fra"][data-verdict="up"]');
    const verdicts = await page.$$eval('[data-data-center]', (marks) =>
      marks.map((mark) => mark.getAttribute('data-verdict')),
    );
    expect(verdicts.length).toBeGreaterThanOrEqual(5);
    await page.waitForSelector('[data-data-center]:not([data-verdict="up"])', { state: 'detached' });
  });

  it('tells where a client is sent, and why', async () => {
    await page.fill('input[name=client]', '84.128.0.1');
    await page.click('text=Explain');
    await page.waitForSelector('[data-explanation]');
    expect(await page.textContent('[data-explanation]')).toMatch(/fra/);
    expect(await page.getAttribute('.route', 'data-to')).toBe('fra');
  });

  it('follows a broken and a mended data center without a reload', async () => {
    await page.click('button[data-break="fra"]');
    await page.waitForSelector('[data-data-center="fra"][data-verdict="down"]');
    await page.waitForSelector('.route:not([data-to="fra"])');
    await page.click('button[data-break="fra"]');
    await page.waitForSelector('[data-data-center="fra"][data-verdict="up"]');
    await page.waitForSelector('.route[data-to="fra"]');
  });

  it('tells the incident, with its timeline on demand', async () => {
    const incident = await page.waitForSelector(
      '[data-incident][data-kind="data-center"][data-state="closed"]',
    );
    expect(await incident.textContent()).toMatch(/Data center fra/);
    await incident.$eval('summary', (summary) => summary.click());
    await incident.waitForSelector('[data-timeline] [data-step="recovered"]');
    const steps = await incident.$$eval('[data-step]', (rows) =>
      rows.map((row) => row.getAttribute('data-step')),
    );
    expect(steps.slice(0, 3)).toEqual(['first-failure', 'decided', 'live']);
  });

  it('shows what the probes of an endpoint saw', async () => {
    const incident = await page.waitForSelector('[data-incident][data-kind="endpoint"]');
    await incident.$eval('summary', (summary) => summary.click());
    await incident.waitForSelector('[data-evidence="local"]');
  });

  it('tells the traffic, and from how much of it', async () => {
    await page.waitForSelector('[data-traffic]');
    expect(await page.textContent('[data-traffic]')).toMatch(/queries, from one in 64/);
  });

  it('says nothing of a cluster where there is none', async () => {
    expect(await page.$$('[data-cluster], [data-conflicts]')).toEqual([]);
  });

  it('had no error, and asked no other host', () => {
    expect(errors).toEqual([]);
  });

  it('says so when the node is gone', async () => {
    await node.stop();
    await page.waitForSelector('[data-connection].verdict-down');
    expect(await page.textContent('[data-connection]')).toMatch(/old/);
  });
});
