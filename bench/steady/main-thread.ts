/* What the server says of its main thread: the longest time that its event loop did not turn since it was last asked. */

/** In milliseconds; the server's figure is reset by every reading. */
export async function worstStallMs(api: string): Promise<number> {
  const text = await (await fetch(`${api}/metrics`)).text();
  const found = text.match(/^nodejs_eventloop_lag_max_seconds (\S+)$/m);
  return Number(found?.[1] ?? Number.NaN) * 1000;
}
