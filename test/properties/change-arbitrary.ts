import fc from 'fast-check';
import type { Change } from '../../src/config/model.ts';
import { address, blobZone, dataCenter, endpoint, pool, zone } from '../store/given.ts';

const apex = fc.constantFrom('example.org.', 'example.net.');
const name = fc.constantFrom('a', 'b', 'c');
const octet = fc.integer({ min: 1, max: 254 });

/** A change that is often about what another one is about too. */
export const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(name, fc.option(octet, { nil: undefined })).map(([key, number]) => dataCenter(key, number)),
  fc
    .tuple(
      name,
      fc.option(fc.uniqueArray(fc.tuple(name, octet), { selector: ([key]) => key }), { nil: undefined }),
    )
    .map(([key, endpoints]) =>
      pool(
        key,
        endpoints?.map(([part, number]) => endpoint(part, `192.0.2.${number}`)),
      ),
    ),
  fc.tuple(apex, fc.boolean()).map(([key, deleted]) => zone(key, { deleted })),
  apex.map((key) => blobZone(key, 'ab'.repeat(32))),
  {
    weight: 4,
    arbitrary: fc
      .tuple(apex, name, fc.option(octet, { nil: undefined }))
      .map(([key, label, number]) =>
        address(key, `${label}.${key}`, number === undefined ? undefined : `192.0.2.${number}`),
      ),
  },
);
