// The one entry of every npm script. Plain JavaScript, no dependencies: it has to run on any Node from 20 on,
// before anything is installed. It installs what is missing, builds what is stale, and runs the verb on the
// pinned runtime.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OLDEST_NODE_FOR_SCRIPTS = 20;
/** The server's own floor; the platform packages bring exactly this line of releases. */
const OLDEST_NODE_FOR_SERVER = 24;
/** Where a binary says what processor it is for (ELF header, e_machine). */
const ELF_MACHINE_AT = 18;

/** What packages carry, so that an install needs no compiler: by the name that the loader looks for. */
const prebuilt = [
  {
    directory: 'linux-x64',
    compiler: 'x86_64-linux-gnu-gcc',
    elfMachine: 62,
    packages: ['gcc-x86-64-linux-gnu', 'libc6-dev-amd64-cross'],
  },
  {
    directory: 'linux-arm64',
    compiler: 'aarch64-linux-gnu-gcc',
    elfMachine: 183,
    packages: ['gcc-aarch64-linux-gnu', 'libc6-dev-arm64-cross'],
  },
];

const verbs = {
  start: (args) => serve(['serve', ...args]),
  meridian: (args) => serve(args),
  cluster: (args) => serve(['cluster', 'demo', ...args]),
  build: () => build(),
  prebuild: () => prebuild(),
  format: () => run(tool('biome'), ['check', '--write', '.']),
  test: (args) => test(args),
  bench: (args) => bench(args),
};

const [verb = '', ...args] = process.argv.slice(2);
if (!Object.hasOwn(verbs, verb)) fail(`unknown verb "${verb}"; one of: ${Object.keys(verbs).join(', ')}`);
if (majorOf(process.versions.node) < OLDEST_NODE_FOR_SCRIPTS)
  fail(
    `this is Node ${process.versions.node}; Meridian needs Node ${OLDEST_NODE_FOR_SCRIPTS} or newer to install itself`,
  );

install();
const runtime = findRuntime();
process.exitCode = await verbs[verb](args);

/** Puts the locked packages in place, once per lock file. */
function install() {
  const stamp = join(root, 'node_modules', '.meridian-installed');
  const wanted = digest([join(root, 'package-lock.json'), join(root, 'package.json')]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  say('installing packages (once)…');
  const npm = process.env.npm_execpath;
  // Not `npm ci`: it refuses a lock file whose registry lacked a package for some other platform. Versions and
  // integrity come from the lock file all the same. No package may run code at install; the engines warning is
  // about the Node that runs npm, not the server's.
  const flags = [
    'install',
    '--no-save',
    '--ignore-scripts',
    '--include=dev',
    '--include=optional',
    '--loglevel=error',
  ];
  const done = npm?.endsWith('js')
    ? spawnSync(process.execPath, [npm, ...flags], { cwd: root, stdio: ['ignore', 2, 2] })
    : spawnSync('npm', flags, { cwd: root, stdio: ['ignore', 2, 2] });
  if (done.status !== 0)
    fail('packages could not be installed; see the lines above, then run the command again');
  writeFileSync(stamp, wanted);
}

/** The pinned runtime that came with the packages, else the Node that runs this script if it is new enough. */
function findRuntime() {
  const packaged = join(root, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node');
  if (existsSync(packaged)) return packaged;
  if (majorOf(process.versions.node) >= OLDEST_NODE_FOR_SERVER) return process.execPath;
  return fail(
    `no packaged runtime for ${process.platform} ${process.arch}, and this is Node ${process.versions.node}; ` +
      `install Node ${OLDEST_NODE_FOR_SERVER} or newer`,
  );
}

/**
 * Compiles the addon, when its sources have changed. Without a compiler, or on another system than Linux, DNS is
 * served by `node:dgram` and `node:net`: the same answers, more slowly. So nothing here is fatal.
 */
function buildAddon() {
  const output = join(root, 'build', 'Release', 'meridian.node');
  const stamp = join(root, 'build', '.built');
  const wanted = digest([...filesBelow(join(root, 'native')), join(root, 'package-lock.json')]);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const slower = 'DNS will be served without it: the same answers at about 40 % of the speed';
  rmSync(join(root, 'build'), { recursive: true, force: true });
  if (process.platform !== 'linux') return say(`the addon is for Linux; ${slower}`);
  const compiler = [process.env.CC, 'cc', 'gcc', 'clang'].find((name) => name && isInstalled(name));
  if (compiler === undefined)
    return say(`no C compiler for the addon (Debian: apt-get install gcc); ${slower}`);
  const headers = join(root, 'node_modules', 'node-api-headers', 'include');
  const status = run(['sh', join(root, 'native', 'build.sh')], [compiler, headers, output]);
  if (status !== 0) return say(`the addon could not be compiled, see the lines above; ${slower}`);
  writeFileSync(stamp, wanted);
}

/** Compiles the addon for every system that packages are made for. Here a failure is one: a package must be whole. */
function prebuild() {
  const headers = join(root, 'node_modules', 'node-api-headers', 'include');
  for (const { directory, compiler, elfMachine, packages } of prebuilt) {
    if (!isInstalled(compiler) && !(installDebianPackages(packages) && isInstalled(compiler)))
      return complain(`no compiler for ${directory}; Debian: apt-get install ${packages.join(' ')}`);
    // The last two words tell the loader what it must find: Node-API, and a C library that this is linked with.
    const output = join(root, 'prebuilds', directory, 'meridian.napi.glibc.node');
    rmSync(output, { force: true });
    if (run(['sh', join(root, 'native', 'build.sh')], [compiler, headers, output]) !== 0)
      return complain(`the addon could not be compiled for ${directory}; see the lines above`);
    if (readFileSync(output).readUInt16LE(ELF_MACHINE_AT) !== elfMachine)
      return complain(`${compiler} does not compile for ${directory}`);
    say(`prebuilds/${directory} is there`);
  }
  return 0;
}

function complain(message) {
  say(message);
  return 1;
}

/** Compiles the server and the dashboard into `dist`, when any of their sources has changed. */
function build() {
  buildAddon();
  const stamp = join(root, 'dist', '.built');
  const sources = [
    ...filesBelow(join(root, 'src')),
    join(root, 'tsconfig.build.json'),
    join(root, 'package-lock.json'),
  ];
  const wanted = digest(sources);
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return 0;
  say('building…');
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  mkdirSync(join(root, 'dist'), { recursive: true });
  // Types are checked by the test verb; a start only needs the code.
  const server = run(tool('tsc'), ['-p', 'tsconfig.build.json', '--noCheck']);
  if (server !== 0) return server;
  const dashboard = run(tool('vite'), [
    'build',
    '--config',
    'src/dashboard/vite.config.ts',
    '--logLevel',
    'warn',
  ]);
  if (dashboard !== 0) return dashboard;
  writeFileSync(stamp, wanted);
  return 0;
}

/** Runs the server and hands it the signals that people send to npm. */
function serve(commandArgs) {
  const built = build();
  if (built !== 0) fail('the build failed; see the lines above');
  const child = spawn(
    runtime,
    ['--enable-source-maps', join(root, 'dist', 'cli', 'meridian.js'), ...commandArgs],
    {
      stdio: 'inherit',
    },
  );
  // A terminal's Ctrl-C reaches the whole group by itself; every other signal reaches only this process.
  process.on('SIGINT', () => process.stdin.isTTY || child.kill('SIGINT'));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => resolve(signal === null ? (code ?? 1) : 1));
    child.on('error', (error) => fail(`the runtime could not be started: ${error.message}`));
  });
}

/** Format, lint, types, unused code and all tests; ends with the line `N passed, N failed`. */
function test(testArgs) {
  installDebianTools();
  const built = build();
  const report = join(root, 'node_modules', '.meridian-tests.json');
  rmSync(report, { force: true });
  const checks = [
    ['build', () => built],
    ['format and lint', () => run(tool('biome'), ['ci', '--error-on-warnings', '.'])],
    ['types', () => run(tool('tsc'), ['-p', 'tsconfig.json'])],
    ['types of the dashboard', () => run(tool('tsc'), ['-p', 'src/dashboard/tsconfig.json'])],
    ['unused code', () => run(tool('knip'), ['--no-progress'])],
  ];
  const count = { passed: 0, failed: 0, skipped: 0 };
  for (const [name, check] of checks) {
    const good = check() === 0;
    count[good ? 'passed' : 'failed'] += 1;
    console.log(`${good ? 'ok  ' : 'FAIL'} ${name}`);
  }
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = run(tool('vitest'), ['run', ...reporters, ...testArgs]);
  if (existsSync(report)) {
    const results = JSON.parse(readFileSync(report, 'utf8'));
    count.passed += results.numPassedTests;
    // A file that fails to load has no tests to count; it is one failure all the same.
    count.failed += Math.max(results.numFailedTests, results.numFailedTestSuites > 0 ? 1 : 0);
    count.skipped += results.numPendingTests + results.numTodoTests;
  }
  if (status !== 0 && count.failed === 0) count.failed = 1;
  console.log(
    `\n${count.passed} passed, ${count.failed} failed${count.skipped > 0 ? `, ${count.skipped} skipped` : ''}`,
  );
  return count.failed === 0 ? 0 : 1;
}

/** Independent DNS clients, a reader of dnstap, a browser, a broker and a maker of certificates, from Debian where possible; tests that need them skip otherwise. */
function installDebianTools() {
  const wanted = [
    ['dig', 'bind9-dnsutils'],
    ['kdig', 'knot-dnsutils'],
    ['chromium', 'chromium'],
    ['fstrm_capture', 'fstrm-bin'],
    ['dnstap-read', 'bind9-utils'],
    ['/usr/sbin/nsd', 'nsd'],
    ['/usr/sbin/ip', 'iproute2'],
    ['/usr/sbin/nft', 'nftables'],
    ['/usr/sbin/nats-server', 'nats-server'],
    ['openssl', 'openssl'],
  ].filter(([command]) => !isInstalled(command));
  if (wanted.length === 0) return;
  const packages = wanted.map(([, name]) => name);
  if (!installDebianPackages(packages)) say('the tests that use them are skipped');
}

function isInstalled(command) {
  return spawnSync('sh', ['-c', `command -v ${command}`]).status === 0;
}

function installDebianPackages(packages) {
  const names = packages.join(', ');
  if (process.getuid?.() === 0 && isInstalled('apt-get')) {
    say(`installing ${names} (once)…`);
    const quiet = {
      stdio: ['ignore', 'ignore', 2],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    };
    spawnSync('apt-get', ['update', '-qq'], quiet);
    const install = ['install', '-qq', '-y', '--no-install-recommends', ...packages];
    if (spawnSync('apt-get', install, quiet).status === 0) return true;
  }
  say(`could not install ${names} (needs root and apt-get)`);
  return false;
}

/** Runs the benchmarks that are named, or all; what begins with a hyphen is theirs: `bench compare -- --rounds 5`. */
function bench(benchArgs) {
  // Servers are measured as people run them: built.
  const built = build();
  if (built !== 0) return built;
  const firstOption = benchArgs.findIndex((argument) => argument.startsWith('-'));
  const names = firstOption < 0 ? benchArgs : benchArgs.slice(0, firstOption);
  const options = firstOption < 0 ? [] : benchArgs.slice(firstOption);
  const directory = join(root, 'bench');
  const all = readdirSync(directory)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -3));
  // A bound that is missed is no reason not to measure the rest.
  let worst = 0;
  for (const name of names.length > 0 ? names : all) {
    if (!all.includes(name)) fail(`no benchmark "${name}"; one of: ${all.join(', ')}`);
    const status = run(runtime, ['--expose-gc', join(directory, `${name}.ts`), ...options]);
    if (worst === 0) worst = status;
  }
  return worst;
}

function run(command, commandArgs) {
  const [program, ...prefix] = [command].flat();
  return (
    spawnSync(program, [...prefix, ...commandArgs], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
      .status ?? 1
  );
}

/** A package's command line tool, run on the pinned runtime. */
function tool(name) {
  const entries = {
    tsc: 'typescript/bin/tsc',
    biome: '@biomejs/biome/bin/biome',
    vite: 'vite/bin/vite.js',
    vitest: 'vitest/vitest.mjs',
    knip: 'knip/bin/knip.js',
  };
  return [runtime, join(root, 'node_modules', entries[name])];
}

function filesBelow(directory) {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

function digest(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(file.slice(root.length)).update('\0').update(readFileSync(file));
  return hash.digest('hex');
}

function majorOf(version) {
  return Number(version.split('.')[0]);
}

function say(message) {
  process.stderr.write(`meridian: ${message}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}
