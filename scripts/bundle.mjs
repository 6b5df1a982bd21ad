// Bundles the entry file of a program or a thread into one file, so that it starts nearly as fast as Node itself:
//   node ../../scripts/bundle.mjs [--program] [--whole | --little] src/bin/NAME.ts dist/bin/NAME.js
// Run in the package's directory. Everything is taken in except the packages below. What is imported dynamically goes
// into files of its own in `chunks` beside it, so that commands that do not need it do not pay for it. A program, which
// has no exports, is put into `NAME.main.js`, and `NAME.js` runs it (see launcher.mjs); `Headers` are plain-headers.ts
// there. With `--whole` only native code stays outside, and the threads and processes that packages start are put
// beside it, where the packages look for them. With `--little` all dependencies stay outside, so that only parts of
// packages are taken in that would bring native code along.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { launcher, native } from './launcher.mjs'

/** What packages start, by the names that they know it by; the sources as seen from a package. */
const threads = {
  worker: '../diff/src/pool/worker.ts',
  'tree-worker': '../trees/src/tree-worker.ts',
  'checkpoint-worker': '../sqlite/src/checkpoint-worker.js',
  'bin/supervisor': '../supervisor/src/server/main.ts',
}

/** The one of them that has a launcher, since it starts with the first layer of a pull. */
const launched = 'worker'

/**
 * Packages that stay outside and are loaded from node_modules: those with native code or a thread of their own, and the
 * server, which the command line clients load only when no daemon runs.
 */
const outside = ['@nsbox/server', '@nsbox/sqlite', '@nsbox/sys']

/**
 * Packages whose threads and processes are found beside their sources. They stay outside of programs that depend on
 * them; others take in what little they use of them, which must not start a thread.
 */
const withThreads = ['@nsbox/diff', '@nsbox/runtime-runc', '@nsbox/supervisor', '@nsbox/trees']

/** Entries of these packages that have neither native code nor threads, and are always bundled. */
const inside = [
  '@nsbox/diff/archive',
  '@nsbox/diff/growing-file',
  '@nsbox/mount/overlay',
  '@nsbox/supervisor/logs',
  '@nsbox/sys/mount-flags',
  '@nsbox/trees/walk',
]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    program: { type: 'boolean', default: false },
    whole: { type: 'boolean', default: false },
    little: { type: 'boolean', default: false },
  },
})
const [entry, outfile] = positionals
if (!entry || !outfile) throw new Error('usage: bundle.mjs [--program] [--whole | --little] ENTRY OUTFILE')
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const outdir = dirname(outfile)
// Their names change with their contents.
rmSync(join(outdir, 'chunks'), { recursive: true, force: true })

await bundle(entry, basename(outfile, '.js'), values.program)
if (values.whole)
  for (const [name, source] of Object.entries(threads)) await bundle(source, name, name === launched)

/**
 * @param {string} entry
 * @param {string} name
 * @param {boolean} isProgram
 */
async function bundle(entry, name, isProgram) {
  const { metafile } = await build({
    entryPoints: [{ in: entry, out: isProgram ? `${name}.main` : name }],
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    // What several files share is one more file; a whole bundle is one, and evaluates what is dynamic when it is asked
    // for.
    splitting: !values.whole,
    plugins: [{ name: 'outside', setup: leaveOutside }],
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['@nsbox/source'],
    // Native code that `ws` would use if it were there.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    inject: isProgram ? [join(import.meta.dirname, 'plain-headers.ts')] : [],
    // CommonJS modules within the bundle ask for Node's own modules by `require`.
    banner: {
      js: [
        `import { createRequire as createBundleRequire } from 'node:module'`,
        'const require = createBundleRequire(import.meta.url)',
      ].join('\n'),
    },
    sourcemap: 'linked',
    sourcesContent: false,
    logLevel: 'warning',
    metafile: true,
  })
  if (isProgram) writeFileSync(join(outdir, `${name}.js`), launcher(name, { outdir, metafile }))
  // What stays outside is looked up from this package, so it must be a dependency of this package.
  const undeclared = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external && !isNode(path) && !isDeclared(path))
    .map(({ path }) => path)
  if (undeclared.length > 0) {
    console.error(`${outfile} loads what ${manifest.name} does not depend on: ${undeclared.join(', ')}`)
    process.exitCode = 1
  }
}

/**
 * esbuild's own option would leave the entries out that are to be inside.
 * @param {import('esbuild').PluginBuild} build
 */
function leaveOutside({ onResolve }) {
  onResolve({ filter: new RegExp(`^(${native.join('|')})$`) }, ({ path }) => ({ path, external: true }))
  if (values.whole) return
  if (values.little)
    onResolve({ filter: /^[@a-z]/ }, ({ path }) =>
      isDeclared(path) && !inside.includes(path) ? { path, external: true } : undefined,
    )
  onResolve({ filter: /^@nsbox\// }, ({ path }) => {
    const name = packageName(path)
    if (name === manifest.name || inside.includes(path)) return undefined
    const external = outside.includes(name) || (withThreads.includes(name) && isDeclared(path))
    return external ? { path, external } : undefined
  })
}

/** @param {string} path of a module that may be newer than this Node */
function isNode(path) {
  return isBuiltin(path) || path.startsWith('node:')
}

/** @param {string} path */
function isDeclared(path) {
  return packageName(path) in { ...manifest.dependencies, ...manifest.peerDependencies }
}

/** @param {string} path of a module of a package */
function packageName(path) {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/')
}
