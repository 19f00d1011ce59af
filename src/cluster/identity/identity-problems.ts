import { X509Certificate } from 'node:crypto';
import type { Problem } from '../../config/problem.ts';
import { endOf, startOf } from './check-certificate.ts';
import type { IdentityFiles } from './identity-files.ts';
import { isRemoved, liveNodes, type MemberConfig, nodeNamed } from './member-config.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Enough for somebody to come back from a holiday. */
const CERTIFICATE_NOTICE_MS = 30 * DAY_MS;

/** A new CA means to go to every node. */
const CA_NOTICE_MS = 180 * DAY_MS;

/** Of a certificate's lifetime, when the node makes itself another. */
const RENEWAL_SHARE = 2 / 3;

/** How a node stands in the configuration: it is not in there before it has heard from the others. */
export type Standing = 'member' | 'unknown' | 'removed' | 'replaced';

export function standingOf({ settings }: IdentityFiles, config: MemberConfig): Standing {
  if (config.removals.has(settings.membership)) return 'removed';
  const node = nodeNamed(config, settings.name);
  if (node === undefined) return 'unknown';
  if (node.membership !== settings.membership) return 'replaced';
  return isRemoved(config, node) ? 'removed' : 'member';
}

/** From when on a certificate should be renewed, in ms since the epoch. */
export function renewalDueAt(certificatePem: string): number {
  const certificate = new X509Certificate(certificatePem);
  const start = startOf(certificate);
  return start + (endOf(certificate) - start) * RENEWAL_SHARE;
}

/** What is wrong with a node's part in its cluster, or will be soon. */
export function identityProblems(
  files: IdentityFiles,
  config: MemberConfig,
  nowMs: number,
): readonly Problem[] {
  const { name } = files.settings;
  return [
    ...standingProblems(name, standingOf(files, config)),
    ...dateProblems(`The certificate of the node ${name}`, `nodes/${name}`, files.certificatePem, nowMs, {
      noticeMs: CERTIFICATE_NOTICE_MS,
      advice: 'it should have been renewed by itself; see the log, or run: meridian cluster rotate',
    }),
    ...dateProblems("The certificate of the cluster's CA", 'cluster/ca', files.caCertificatePem, nowMs, {
      noticeMs: CA_NOTICE_MS,
      advice: 'make a new cluster and let the nodes join it one after the other',
    }),
    ...usedTwice(config),
  ];
}

function standingProblems(name: string, standing: Standing): readonly Problem[] {
  const path = `nodes/${name}`;
  switch (standing) {
    case 'member':
    case 'unknown':
      return [];
    case 'removed':
      return [
        {
          code: 'node-removed',
          path,
          message: `This node was removed from the cluster, and no other talks to it; to come back it joins anew, with an invitation and an empty data directory.`,
        },
      ];
    case 'replaced':
      return [
        {
          code: 'node-replaced',
          path,
          message: `Another machine has joined as ${name}, and this one is no member any more; let it join anew under another name.`,
        },
      ];
  }
}

function dateProblems(
  subject: string,
  path: string,
  certificatePem: string,
  nowMs: number,
  { noticeMs, advice }: { readonly noticeMs: number; readonly advice: string },
): readonly Problem[] {
  const certificate = new X509Certificate(certificatePem);
  if (nowMs < startOf(certificate)) {
    const message = `${subject} counts from ${certificate.validFromDate.toISOString()} on only: this machine's clock is wrong.`;
    return [{ code: 'certificate-not-yet-valid', path, message }];
  }
  const end = endOf(certificate);
  if (nowMs < end - noticeMs) return [];
  const verb = nowMs < end ? 'ends' : 'ended';
  const message = `${subject} ${verb} on ${certificate.validToDate.toISOString()}; ${advice}.`;
  return [{ code: 'certificate-expires', path, message }];
}

/** Two sides of a partition may let in a machine each with the same invitation. */
function usedTwice(config: MemberConfig): readonly Problem[] {
  const names = new Map<string, string>();
  const problems: Problem[] = [];
  for (const { name, membership } of liveNodes(config)) {
    const other = names.get(membership);
    names.set(membership, name);
    if (other === undefined) continue;
    const message = `The nodes ${other} and ${name} joined with the same invitation, on two sides of a partition; if you let in one machine only, remove the other.`;
    problems.push({ code: 'invitation-used-twice', path: `nodes/${name}`, message });
  }
  return problems;
}
