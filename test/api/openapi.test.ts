import { describe, expect, it } from 'vitest';
import { apiRoutes, createApp } from '../../src/api/create-app.ts';
import { appOptions, startApi } from './started-api.ts';
import { createTestPlane } from './test-plane.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly in: string;
    readonly name: string;
    readonly description?: string;
  }[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly headers?: object; readonly content?: Content }>>;
}

type Content = Readonly<Record<string, { readonly schema: unknown }>>;

interface Document {
  readonly openapi: string;
  readonly info: object;
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: object };
}

describe('the OpenAPI document', () => {
  it('has every route of Express, and no other', async () => {
    const { send } = await startApi();
    const body = (await send('GET', '/v1/openapi.json')).body as Document;
    const documented = Object.entries(body.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method} ${path}`),
    );
    expect(documented.sort()).toEqual(mountedRoutes().sort());
    expect(documented.length).toBeGreaterThan(50);
  });

  it('is version 3.1, and every reference in it leads somewhere', async () => {
    const { send } = await startApi();
    const body = (await send('GET', '/v1/openapi.json')).body as Document;
    expect(body.openapi).toMatch(/^3\.1\.\d+$/);
    expect(body.info).toMatchObject({ title: 'Meridian', version: '1.2.3' });
    const references = referencesIn(body);
    expect(references.size).toBeGreaterThan(10);
    expect([...references].filter((reference) => resolve(body, reference) === undefined)).toEqual([]);
  });

  it('declares each parameter of each path, and an operation id no second has', async () => {
    const { send } = await startApi();
    const body = (await send('GET', '/v1/openapi.json')).body as Document;
    const ids: string[] = [];
    for (const [path, operations] of Object.entries(body.paths)) {
      const wanted = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort();
      for (const operation of Object.values(operations)) {
        const declared = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
        expect(declared.map((parameter) => parameter.name).sort()).toEqual(wanted);
        expect(declared.filter((parameter) => !parameter.description)).toEqual([]);
        ids.push(operation.operationId);
      }
    }
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('tells the errors and headers of a write', async () => {
    const { send } = await startApi();
    const body = (await send('GET', '/v1/openapi.json')).body as Document;
    const put = body.paths['/v1/pools/{pool}']?.put;
    expect(Object.keys(put?.responses ?? {}).sort()).toEqual(
      '200 201 400 401 403 404 409 412 413 415 421 422 429 500 503'.split(' '),
    );
    expect(put?.responses?.['200']?.headers).toHaveProperty('ETag');
    expect(put?.parameters?.map((parameter) => parameter.name)).toContain('If-Match');
    expect(put?.responses?.['422']?.content?.['application/problem+json']?.schema).toEqual({
      $ref: '#/components/schemas/ProblemDetails',
    });
    expect(put?.requestBody?.content?.['application/json']?.schema).toEqual({
      $ref: '#/components/schemas/Pool',
    });
  });

  it('names the schemas of all resources', async () => {
    const { send } = await startApi();
    const body = (await send('GET', '/v1/openapi.json')).body as Document;
    expect(Object.keys(body.components.schemas)).toEqual(
      expect.arrayContaining(
        'DataCenter Pool Endpoint Monitor Policy PolicyNode Zone RRset SteeredName Override'.split(' '),
      ),
    );
  });

  it('comes from the list of routes that is mounted', () => {
    const routes = apiRoutes(appOptions(createTestPlane()));
    expect(routes.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(mountedRoutes().sort());
  });
});

interface MountedLayer {
  readonly route?: { readonly path: string; readonly stack: readonly { readonly method?: string }[] };
}

/** What Express itself says it has, with parameters in braces. */
function mountedRoutes(): string[] {
  const app = createApp(appOptions(createTestPlane()));
  const layers = app.router.stack as unknown as readonly MountedLayer[];
  const mounted = layers.flatMap(({ route }) =>
    (route?.stack ?? []).flatMap(({ method }) =>
      method === undefined ? [] : [`${method} ${route?.path.replace(/:(\w+)/g, '{$1}')}`],
    ),
  );
  // A method with a reader of bodies has several layers.
  return [...new Set(mounted)];
}

function referencesIn(value: unknown, found = new Set<string>()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, part] of Object.entries(value)) {
    if (key === '$ref') found.add(String(part));
    else referencesIn(part, found);
  }
  return found;
}

function resolve(document: unknown, reference: string): unknown {
  let at: unknown = document;
  for (const part of reference.replace(/^#\//, '').split('/')) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = new Map(Object.entries(at)).get(part);
  }
  return at;
}
