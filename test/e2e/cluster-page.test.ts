import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canRunDemo, Demo, freePorts, SLOW_MS } from './demo-cluster.ts';
import { temporaryDirectory } from './node-process.ts';

const CHROMIUM = '/usr/bin/chromium';

describe.skipIf(!canRunDemo || !existsSync(CHROMIUM))('the status page of a node in a cluster', () => {
  const data = temporaryDirectory();
  const errors: string[] = [];
  let demo: Demo;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const ports = await freePorts();
    demo = new Demo(data.path, ports.flags);
    await demo.ready();
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    page = await browser.newPage({ viewport: { width: 390, height: 844 } });
    page.setDefaultTimeout(SLOW_MS);
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto(`http://127.0.2.1:${ports.api}`);
  }, 3 * SLOW_MS);
  afterAll(async () => {
    await browser?.close();
    demo?.kill('SIGTERM');
    await demo?.gone;
    data.remove();
  }, SLOW_MS);

  it('shows every node, and that all is well', { timeout: 2 * SLOW_MS }, async () => {
    await page.waitForSelector('[data-cluster="3"] [data-cluster-summary].verdict-up');
    expect(await page.textContent('[data-member="fra"]')).toContain('this node');
    expect(await page.textContent('[data-member="sin"]')).toMatch(/round trip[\s\S]*ms/);
    expect(await page.textContent('[data-conflicts="0"]')).toContain('No two nodes');
  });

  it('says which node is down, and fits on a telephone', { timeout: 2 * SLOW_MS }, async () => {
    await demo.type('kill iad', /iad is dead/);
    await page.waitForSelector('[data-member="iad"][data-state="down"]');
    expect(await page.textContent('[data-cluster-summary]')).toBe('look at iad');
    const [width] = await page.$$eval('[data-member], [data-conflicts]', (parts) => [
      Math.max(...parts.map((part) => part.getBoundingClientRect().right)),
    ]);
    expect(width).toBeLessThanOrEqual(390);
    await demo.type('start iad', /iad serves again/);
    await page.waitForSelector('[data-member="iad"][data-state="up"]');
  });

  it('shows both values of a conflict, and writes the one that is chosen', {
    timeout: 3 * SLOW_MS,
  }, async () => {
    await demo.type('conflict', /--choose[\s\S]*--choose '[^']+'.*\n/);
    await page.waitForSelector('[data-conflicts="1"]');
    const values = await page.$$eval('[data-choice]', (rows) => rows.map((row) => row.textContent ?? ''));
    expect(values).toHaveLength(2);
    expect(values.join()).toMatch(/from-(fra|sin)[\s\S]*on (fra|sin)/);
    await page.click('[data-choice][data-counts="false"] button');
    await page.waitForSelector('[data-conflicts="0"]');
    expect(errors).toEqual([]);
  });
});
