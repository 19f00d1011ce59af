import { createDecision } from '../../src/answer/decision.ts';
import type {
  ControlPlane,
  Demo,
  EndpointReport,
  ExplainedDecision,
  NodeStatus,
  ZoneRRsets,
} from '../../src/api/control-plane.ts';
import { applyChanges, emptyConfig } from '../../src/config/apply-changes.ts';
import { checkConfig } from '../../src/config/check.ts';
import { writeRefusals } from '../../src/config/introduced-problems.ts';
import { type Authorship, type Change, type Config, type Owner, rrsetKey } from '../../src/config/model.ts';
import { refuseForeignEdits } from '../../src/config/owners.ts';
import type { Problem } from '../../src/config/problem.ts';
import { formatName } from '../../src/dns/name.ts';
import { formatRdata } from '../../src/dns/rdata/index.ts';
import { formatType } from '../../src/dns/type.ts';
import { parseZoneFile } from '../../src/dns/zone-file.ts';
import type { Conflict } from '../../src/store/conflicts/conflict.ts';

/** A control plane over configuration in memory, with the real checks; what it does not have, tests set. */
export interface TestPlane extends ControlPlane {
  config: Config;
  demo: Demo | undefined;
  ready: boolean;
  decided: ExplainedDecision;
  zoneTexts: Map<string, string>;
  readonly reports: { readonly keys: readonly string[]; readonly report: EndpointReport }[];
  /** How many event streams listen. */
  readonly listeners: ReadonlySet<() => void>;
  /** Who wrote what, and why. */
  readonly writes: { readonly changes: readonly Change[]; readonly authorship: Authorship }[];
  conflicting: readonly Conflict[];
  /** Conflicts that were resolved, each with the choice. */
  readonly resolved: string[];
  /** Set to make the next writes wait, or fail. */
  beforeWrite: () => Promise<void>;
  changed(): void;
}

export const file: Owner = { kind: 'directory', file: 'pools.yaml', line: 7 };

const problem: Problem = { code: 'geo-table-old', path: 'geo', message: 'The geo table is 90 days old.' };

export function createTestPlane(changes: readonly Change[] = []): TestPlane {
  const listeners = new Set<() => void>();
  let revision = 0;
  const stamp = (authorship: Authorship) => ({
    ...authorship,
    revision: `r${++revision}`,
    updatedAt: '2026-01-01T00:00:00.000Z',
  });
  const plane: TestPlane = {
    config: applyChanges(emptyConfig(), changes, stamp({ author: 'test', reason: 'given' })),
    demo: undefined,
    ready: true,
    zoneTexts: new Map(),
    reports: [],
    listeners,
    writes: [],
    conflicting: [],
    resolved: [],
    beforeWrite: async () => {},
    decided: {
      decision: { ...createDecision(), outcome: 'refused', rcode: 5 },
      response: new Uint8Array(),
      location: undefined,
      dataCenterName: String,
      endpointName: String,
    },
    async write(written, authorship) {
      await plane.beforeWrite();
      const { config } = plane;
      const foreign = refuseForeignEdits(config, written);
      const next = applyChanges(config, written, stamp(authorship));
      const problems = [...foreign, ...writeRefusals(checkConfig(config), checkConfig(next), written)];
      if (problems.length > 0) return { ok: false, problems };
      plane.config = next;
      plane.writes.push({ changes: written, authorship });
      plane.changed();
      return { ok: true, config: next };
    },
    problems: () => [problem],
    backup: async () => ({ path: '/data/backups/1.backup', entries: 7, octets: 700 }),
    conflicts: () => plane.conflicting,
    resolveConflict: async (id, choice) => {
      plane.resolved.push(`${id} ${choice}`);
      return { ok: true, config: plane.config };
    },
    health: () => [],
    vantages: () => [{ vantage: 'local', region: '', up: 0, down: 0, suspect: false, away: false }],
    report: (sources, report) => {
      plane.reports.push({ keys: sources.map(({ key }) => key), report });
      return {
        kind: 'taken',
        leases: sources.map(({ key }) => ({ key, endsAt: '2026-01-01T00:00:30.000Z' })),
      };
    },
    decide: () => plane.decided,
    zoneText: (apex) => plane.zoneTexts.get(apex),
    zoneRRsets: (apex) => rrsetsOfText(plane.zoneTexts.get(apex)),
    status: () => statusOf(plane),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    changed: () => {
      for (const listener of listeners) listener();
    },
  };
  return plane;
}

function statusOf({ config, ready }: TestPlane): NodeStatus {
  return {
    version: '1.2.3',
    startedAt: '2026-01-01T00:00:00.000Z',
    generation: config.generation,
    ready,
    conditions: [{ name: 'dns', holds: ready, detail: 'All workers answer.' }],
    geo: {
      name: 'test',
      builtAt: '2026-01-01T00:00:00.000Z',
      attribution: 'Test data',
      attributionUrl: '',
      ageSeconds: 1,
    },
    dns: ['127.0.0.1:5300'],
  };
}

function rrsetsOfText(text: string | undefined): ZoneRRsets | undefined {
  if (text === undefined) return undefined;
  const { rrsets } = parseZoneFile({
    file: 'zone',
    text,
    origin: undefined,
    include: (file) => ({ code: 'no-include', path: file, message: 'There are no includes here.' }),
  });
  const byKey = new Map(
    rrsets.map(({ owner, type, ttlSeconds, rdatas }) => {
      const name = formatName(owner);
      const records = rdatas.map((rdata) => formatRdata(type, rdata));
      return [rrsetKey(name, formatType(type)), { name, type: formatType(type), ttlSeconds, records }];
    }),
  );
  return {
    get: (key) => byKey.get(key),
    page: async (after, limit) => {
      const keys = [...byKey.keys()].filter((key) => after === undefined || key > after).sort();
      const found = keys.slice(0, limit).flatMap((key) => byKey.get(key) ?? []);
      return { rrsets: found, more: keys.length > limit };
    },
  };
}
