/* What `npm run bench compare -- …` may say. */
import { parseArgs } from 'node:util';
import { type Row, rows } from './rows.ts';
import { type ServerName, serverKinds } from './servers/index.ts';

export interface CompareArguments {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmup: number;
  readonly rows: readonly Row[];
  readonly servers: ReadonlySet<ServerName>;
  readonly mmdb: readonly string[];
  readonly core: { readonly server: number; readonly load: number };
  /** Keeps the directories with every server's configuration and log. */
  readonly keep: boolean;
}

export const compareUsage = `npm run bench compare -- [options]
  --quick            two rounds of one second, without the million names
  --rounds N         paired rounds of every row                  5
  --seconds S        measured in each                            5
  --warmup S         before that                                 1
  --row NAME         only this row; may be repeated: ${rows.map(({ name }) => name).join(' ')}
  --server NAME      only this server, and gdnsd; may be repeated: ${Object.keys(serverKinds).join(' ')}
  --mmdb FILE        geography from this file; may be repeated    the pinned city files, fetched by npm
  --server-core N --load-core N                                  0, 1
  --keep             keep configurations and logs
`;

/** Throws with the usage where something is not understood. */
export function readCompareArguments(argv: readonly string[]): CompareArguments {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      warmup: { type: 'string' },
      row: { type: 'string', multiple: true },
      server: { type: 'string', multiple: true },
      mmdb: { type: 'string', multiple: true, default: [] },
      'server-core': { type: 'string', default: '0' },
      'load-core': { type: 'string', default: '1' },
      keep: { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  return {
    rounds: numberOf('rounds', values.rounds, quick ? 2 : 5),
    seconds: numberOf('seconds', values.seconds, quick ? 1 : 5),
    warmup: numberOf('warmup', values.warmup, quick ? 0.5 : 1),
    rows: chosenRows(values.row, quick),
    servers: chosenServers(values.server),
    mmdb: values.mmdb,
    core: {
      server: numberOf('server-core', values['server-core'], 0),
      load: numberOf('load-core', values['load-core'], 1),
    },
    keep: values.keep,
  };
}

function chosenRows(names: readonly string[] | undefined, quick: boolean): readonly Row[] {
  if (names === undefined) return rows.filter(({ world }) => !quick || world !== 'million');
  const unknown = names.find((name) => !rows.some((row) => row.name === name));
  if (unknown !== undefined) throw new Error(`there is no row "${unknown}"\n${compareUsage}`);
  return rows.filter(({ name }) => names.includes(name));
}

function chosenServers(names: readonly string[] | undefined): ReadonlySet<ServerName> {
  const all = Object.keys(serverKinds) as ServerName[];
  if (names === undefined) return new Set(all);
  const unknown = names.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) throw new Error(`there is no server "${unknown}"\n${compareUsage}`);
  return new Set(all.filter((name) => name === 'gdnsd' || names.includes(name)));
}

function numberOf(flag: string, text: string | undefined, otherwise: number): number {
  const number = Number(text ?? otherwise);
  if (!Number.isFinite(number) || number < 0)
    throw new Error(`--${flag}: "${text}" is not a number\n${compareUsage}`);
  return number;
}
