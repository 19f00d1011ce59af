/** Lets events happen until the condition holds, without a clock: for what this process brings about. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

/** Calls `attempt` until it gives a value or the time is over; for what another process does in its own time. */
export async function eventually<T>(
  attempt: () => Promise<T | undefined>,
  options: { readonly withinMs: number; readonly what: string },
): Promise<T> {
  const end = performance.now() + options.withinMs;
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    if (performance.now() > end) throw new Error(`not within ${options.withinMs} ms: ${options.what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Lets everything that is ready run. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
