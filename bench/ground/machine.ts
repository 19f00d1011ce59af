import { spawnSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';

/** One line that says where and of what figures were taken. */
export function machineLine(): string {
  const model = cpus()[0]?.model ?? 'unknown processor';
  const gigabytes = Math.round(totalmem() / 1024 ** 3);
  return `${model}, ${cpus().length} cores, ${gigabytes} GB, Linux ${release()}, Node ${process.version}, commit ${commit()}`;
}

function commit(): string {
  const git = (args: readonly string[]): string =>
    spawnSync('git', args, { encoding: 'utf8' }).stdout?.trim() ?? '';
  const changed = git(['status', '--porcelain', '--untracked-files=no']) === '' ? '' : ' with changes';
  return `${git(['rev-parse', '--short', 'HEAD']) || 'unknown'}${changed}`;
}
