import type { Config, Stored } from '../../config/model.ts';
import { resourcePath } from '../../config/resource-path.ts';
import { type Endpoint, endpointSchema, type Pool } from '../../config/resources/pool.ts';
import { API_OWNER, type ApiCollection, type Shelf } from '../collection.ts';
import { plainIdentity } from '../identities.ts';
import { pageOf } from '../page.ts';
import { type ProblemReply, refuse } from '../reply.ts';
import type { Params } from '../route.ts';

/**
 * `/v1/pools/{pool}/endpoints`: single endpoints of a pool, which is stored whole.
 * An endpoint's revision, owner and author are those of its pool.
 */
export function endpointCollection(): ApiCollection<Endpoint, Endpoint> {
  return {
    tag: 'pools',
    noun: 'endpoint',
    one: 'Endpoint',
    many: 'Endpoints',
    path: '/v1/pools/{pool}/endpoints',
    itemPath: '/v1/pools/{pool}/endpoints/{endpoint}',
    parameters: { pool: 'Name of the pool.', endpoint: 'Name of the endpoint within its pool.' },
    identity: [{ field: 'name', parameter: 'endpoint' }],
    schema: endpointSchema,
    valueSchema: endpointSchema,
    identify: plainIdentity('name'),
    // The lane of the pool itself: both write the same resource.
    lane: (params) => resourcePath('pools', params.pool ?? ''),
    problemPath: (params, key) =>
      [resourcePath('pools', params.pool ?? ''), 'endpoints', ...(key === undefined ? [] : [key])].join('/'),
    open: openPool,
  };
}

function openPool(config: Config, params: Params): Shelf<Endpoint, Endpoint> | ProblemReply {
  const name = params.pool ?? '';
  const stored = config.pools.get(name);
  if (stored === undefined) return refuse('not-found', `There is no pool ${name}.`);
  const entries = entriesOf(stored);
  return {
    entries,
    page: (query) => pageOf(entries, query),
    toValue: (endpoint) => endpoint,
    toBody: (endpoint) => endpoint,
    changes: (key, endpoint) => [
      { collection: 'pools', key: name, owner: API_OWNER, value: withEndpoint(stored.value, key, endpoint) },
    ],
  };
}

function entriesOf(stored: Stored<Pool>): ReadonlyMap<string, Stored<Endpoint>> {
  return new Map(stored.value.endpoints.map((endpoint) => [endpoint.name, { ...stored, value: endpoint }]));
}

/** The pool with one endpoint replaced in its place, put at the end, or taken out. */
function withEndpoint(pool: Pool, key: string, endpoint: Endpoint | undefined): Pool {
  const put = endpoint === undefined ? [] : [endpoint];
  const at = pool.endpoints.findIndex(({ name }) => name === key);
  if (at < 0) return { ...pool, endpoints: [...pool.endpoints, ...put] };
  return { ...pool, endpoints: [...pool.endpoints.slice(0, at), ...put, ...pool.endpoints.slice(at + 1)] };
}
