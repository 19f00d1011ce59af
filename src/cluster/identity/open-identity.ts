import { type Parsed, parsed } from '../../config/problem.ts';
import { ClusterIdentity, type ClusterIdentityOptions } from './cluster-identity.ts';
import { readIdentityFiles } from './identity-files.ts';

/** This node's part in its cluster, from its files; undefined where it is in none, and every mistake where they are bad. */
export async function openIdentity(
  options: Omit<ClusterIdentityOptions, 'files'>,
): Promise<Parsed<ClusterIdentity | undefined>> {
  const files = await readIdentityFiles(options.dataDirectory);
  if (!files.ok) return files;
  if (files.value === undefined) return parsed(undefined);
  return parsed(new ClusterIdentity({ ...options, files: files.value }));
}

/** Certificates are renewed days before anybody would notice; this is often enough, and costs nothing. */
const LOOK_MS = 10 * 60 * 1000;

/** Keeps the certificate renewed, and what the cluster knows of this node as its files say, until it is stopped. */
export function keepIdentity(identity: Pick<ClusterIdentity, 'renewIfDue' | 'announce'>): { stop(): void } {
  const look = async (): Promise<void> => {
    await identity.renewIfDue();
    await identity.announce();
  };
  const timer = setInterval(() => void look(), LOOK_MS);
  timer.unref();
  void look();
  return { stop: () => clearInterval(timer) };
}
