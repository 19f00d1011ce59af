/* The figures of all rounds, as the Markdown that goes into bench/results.md. */
import type { LoadReport } from '../ground/load.ts';
import type { Row } from './rows.ts';
import { type ServerName, serverKinds } from './servers/index.ts';

export interface Measured {
  readonly row: Row;
  /** By server: one report for each round, in order. */
  readonly rounds: Partial<Record<ServerName, LoadReport[]>>;
  readonly memory: Partial<Record<ServerName, number>>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** Queries for each second of CPU time that the server used. */
function perCpuSecond(report: LoadReport): number {
  return report.queries / report.cpuSeconds;
}

/** The median over the rounds of one server's figure divided by the other's in the same round. */
export function pairedRatio(measured: Measured, server: ServerName, against: ServerName): number {
  const ratios = (measured.rounds[server] ?? []).flatMap((report, round) => {
    const other = measured.rounds[against]?.[round];
    return other === undefined ? [] : [perCpuSecond(report) / perCpuSecond(other)];
  });
  return median(ratios);
}

/** Whether a bound is kept; undefined where one of its servers was left out. */
export function keepsBounds(measured: Measured): boolean | undefined {
  const { row, memory } = measured;
  const ratios = row.bounds.map(
    ({ server, against, atLeast }) => pairedRatio(measured, server, against) / atLeast,
  );
  if (row.memoryAtMost !== undefined)
    ratios.push((memory[row.memoryAtMost] ?? Number.NaN) / (memory.meridian ?? Number.NaN));
  if (ratios.length === 0 || ratios.some((ratio) => Number.isNaN(ratio))) return undefined;
  return ratios.every((ratio) => ratio >= 1);
}

export function reportOf(all: readonly Measured[], machine: string, told: string): string {
  return [`${machine}.`, told, '', boundsTable(all), '', figuresTable(all)].join('\n');
}

function boundsTable(all: readonly Measured[]): string {
  const lines = all.flatMap((measured) => {
    const { row, memory } = measured;
    const ratios = row.bounds.map(({ server, against, atLeast }) => {
      const ratio = pairedRatio(measured, server, against);
      return [row.title, `${atLeast} of ${against}`, showRatio(ratio), verdict(ratio >= atLeast, ratio)];
    });
    const { memoryAtMost: against } = row;
    if (against === undefined) return ratios;
    const share = (memory.meridian ?? Number.NaN) / (memory[against] ?? Number.NaN);
    return [
      ...ratios,
      [`${row.title}: memory`, `at most ${against}’s`, showRatio(share), verdict(share <= 1, share)],
    ];
  });
  return table(['Row', 'Bound', 'Median of paired rounds', ''], lines);
}

function figuresTable(all: readonly Measured[]): string {
  const lines = all.flatMap((measured) =>
    (Object.keys(serverKinds) as ServerName[]).flatMap((server) => {
      const reports = measured.rounds[server] ?? [];
      if (reports.length === 0) return [];
      const middle = (of: (report: LoadReport) => number): number => median(reports.map(of));
      const sum = (of: (report: LoadReport) => number): number =>
        reports.reduce((total, report) => total + of(report), 0);
      const memory = measured.memory[server];
      return [
        [
          measured.row.name,
          server,
          showRatio(pairedRatio(measured, server, 'gdnsd')),
          whole(middle(perCpuSecond)),
          whole(middle(({ perSecond }) => perSecond)),
          `${middle(({ p50Us }) => p50Us).toFixed(0)} / ${middle(({ p99Us }) => p99Us).toFixed(0)}`,
          `${sum(({ wrong }) => wrong)} / ${sum(({ lost }) => lost)}`,
          `${(middle(({ emptyReads }) => emptyReads) * 100).toFixed(0)} %`,
          memory === undefined ? '' : `${(memory / 1024 ** 2).toFixed(0)} MiB`,
        ],
      ];
    }),
  );
  const heads = [
    'Row',
    'Server',
    'of gdnsd',
    'q / CPU second',
    'q / s',
    'p50 / p99 µs',
    'wrong / lost',
    'Memory',
  ];
  return table(heads, lines);
}

function table(heads: readonly string[], lines: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(heads), row(heads.map(() => '---')), ...lines.map(row)].join('\n');
}

function verdict(kept: boolean, figure: number): string {
  if (Number.isNaN(figure)) return 'not measured';
  return kept ? 'kept' : '**missed**';
}

function showRatio(ratio: number): string {
  return Number.isNaN(ratio) ? '' : ratio.toFixed(2);
}

function whole(number: number): string {
  return Math.round(number).toLocaleString('en');
}
