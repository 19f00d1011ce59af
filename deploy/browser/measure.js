/*
 * Measures round trips from a visitor's browser to each data center, and reports them to an endpoint of your own.
 *
 *     <script async src="/measure.js"
 *       data-targets='{"fra": "https://fra.example.org/ping", "sin": "https://sin.example.org/ping"}'
 *       data-report="/latency" data-share="0.01"></script>
 *
 * targets   by name of the data center, a URL there that answers at once with little or nothing
 * report    who takes the batch and forwards it to Meridian; of the page's own origin, else the browser asks it first
 * share     of visits that measure, 0 to 1; 0.01 unless told
 *
 * Nothing about the visitor is sent but the times; see docs/latency.md.
 */
(() => {
  const MAX_TARGETS = 32;
  const ROUND_TRIPS = 3;
  const TIMEOUT_MS = 5000;
  const START_MS = 3000;

  const { targets, report, share = '0.01' } = document.currentScript.dataset;
  if (!targets || !report || !window.fetch || Math.random() >= Number(share)) return;
  // Whoever has asked for few octets is not made to spend some for us.
  if (navigator.connection?.saveData) return;

  async function fetchOnce(url) {
    const fresh = new URL(url, location.href);
    fresh.searchParams.set('r', Math.random().toString(36).slice(2));
    const start = performance.now();
    await fetch(fresh, {
      cache: 'no-store',
      credentials: 'omit',
      mode: 'no-cors',
      referrerPolicy: 'no-referrer',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return performance.now() - start;
  }

  /** The fastest of a few over an open connection: the first opens it, and what is slower has waited for something. */
  async function measure(dataCenter, url) {
    await fetchOnce(url);
    let best = Infinity;
    for (let count = 0; count < ROUND_TRIPS; count += 1) best = Math.min(best, await fetchOnce(url));
    const milliseconds = Math.min(10000, Math.max(0.1, Math.round(best * 10) / 10));
    return { client: 'self', dataCenter, milliseconds };
  }

  async function run() {
    const list = Object.entries(JSON.parse(targets)).slice(0, MAX_TARGETS);
    // In an order of chance, so that a visit that ends early does not always spare the same ones.
    list.sort(() => Math.random() - 0.5);
    const measurements = [];
    for (const [dataCenter, url] of list) {
      // A tab in the background is throttled: its times are not the network's.
      if (document.visibilityState !== 'visible') break;
      try {
        measurements.push(await measure(dataCenter, url));
      } catch {
        // A data center that does not answer is no measurement.
      }
    }
    if (measurements.length < 2) return;
    const batch = new Blob([JSON.stringify({ measurements })], { type: 'application/json' });
    if (!navigator.sendBeacon?.(report, batch))
      await fetch(report, { method: 'POST', body: batch, keepalive: true });
  }

  // After the page has what it needs.
  setTimeout(() => run().catch(() => {}), START_MS);
})();
