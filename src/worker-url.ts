/** The URL of a worker's file beside the caller: TypeScript when running from source, JavaScript when built. */
export function workerUrl(callerUrl: string, path: string): URL {
  return new URL(`${path}${callerUrl.endsWith('.ts') ? '.ts' : '.js'}`, callerUrl);
}
