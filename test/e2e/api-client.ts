/** Writes and reads a node's API; every write must succeed. */
export interface ApiClient {
  readonly put: (path: string, body: unknown) => Promise<unknown>;
  readonly remove: (path: string) => Promise<void>;
  readonly get: <T>(path: string) => Promise<T>;
  /** Any request, whatever its outcome. */
  readonly send: (method: string, path: string, body?: unknown) => Promise<Response>;
}

export function apiClient(base: string, token?: string): ApiClient {
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  function send(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${base}${path}`, {
      method,
      ...(body === undefined
        ? { headers: authorization }
        : {
            headers: { ...authorization, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          }),
    });
  }
  async function succeed(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await send(method, path, body);
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  }
  return {
    send,
    put: async (path, body) => (await succeed('PUT', path, body)).json(),
    remove: async (path) => void (await succeed('DELETE', path)),
    get: async <T>(path: string) => (await (await succeed('GET', path)).json()) as T,
  };
}
