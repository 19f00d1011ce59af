import type { ListenAddress } from '../../server/listen-address.ts';

/**
 * Where a successor listens: where it was told to, but on the ports of its predecessor where the system chose those.
 * Addresses that stand several times are matched in their order.
 */
export function takenAddresses<A extends ListenAddress>(
  wanted: readonly A[],
  bound: readonly ListenAddress[],
): readonly A[] {
  const left = [...bound];
  return wanted.map((want) => {
    if (want.port !== 0) return want;
    const at = left.findIndex(({ address }) => address === want.address);
    const [taken] = at < 0 ? [] : left.splice(at, 1);
    return taken === undefined ? want : { ...want, port: taken.port };
  });
}
