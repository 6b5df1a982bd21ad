// Bundles the entry file of a program or a thread into one file, so that it starts nearly as fast as Node itself:
//   node ../../scripts/bundle.mjs [--program] src/bin/NAME.ts dist/bin/NAME.js
// Run in the package's directory. Everything is taken in except the packages below. What is imported dynamically goes
// into files of its own in `chunks` beside it, so that commands that do not need it do not pay for it. A program, which
// has no exports, is put into `NAME.main.js`, and `NAME.js` runs it (see launcher.mjs); `Headers` are plain-headers.ts there.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'esbuild'
import { launcher } from './launcher.mjs'

/**
 * Packages that stay outside and are loaded from node_modules: those with native code or a thread of their own, and the
 * server, which the command line clients load only when no daemon runs.
 */
const outside = ['@nsbox/server', '@nsbox/sqlite', '@nsbox/sys']

/**
 * Packages whose threads and processes are found beside their sources. They stay outside of programs that depend on them; others take
 * in what little they use of them, which must not start a thread.
 */
const withThreads = ['@nsbox/diff', '@nsbox/runtime-runc', '@nsbox/trees']

/** Entries of these packages that have neither native code nor threads, and are always bundled. */
const inside = [
  '@nsbox/diff/archive',
  '@nsbox/diff/growing-file',
  '@nsbox/sys/mount-flags',
  '@nsbox/trees/walk',
]

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { program: { type: 'boolean', default: false } },
})
const [entry, outfile] = positionals
if (!entry || !outfile) throw new Error('usage: bundle.mjs [--program] ENTRY OUTFILE')
const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const outdir = dirname(outfile)
const name = basename(outfile, '.js')
const main = values.program ? `${name}.main` : name
// Their names change with their contents.
rmSync(join(outdir, 'chunks'), { recursive: true, force: true })

const { metafile } = await build({
  entryPoints: [{ in: entry, out: main }],
  outdir,
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  plugins: [{ name: 'outside', setup: leaveOutside }],
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  conditions: ['@nsbox/source'],
  inject: values.program ? [join(import.meta.dirname, 'plain-headers.ts')] : [],
  // CommonJS modules within the bundle ask for Node's own modules by `require`.
  banner: {
    js: `import { createRequire as createBundleRequire } from 'node:module'\nconst require = createBundleRequire(import.meta.url)`,
  },
  sourcemap: 'linked',
  sourcesContent: false,
  logLevel: 'warning',
  metafile: true,
})

if (values.program) writeFileSync(outfile, launcher(name, { outdir, metafile }))

// What stays outside is looked up from this package, so it must be a dependency of this package.
const undeclared = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ path, external }) => external && !isNode(path) && !isDeclared(path))
  .map(({ path }) => path)
if (undeclared.length > 0) {
  console.error(`${outfile} loads what ${manifest.name} does not depend on: ${undeclared.join(', ')}`)
  process.exitCode = 1
}

/**
 * esbuild's own option would leave the entries out that are to be inside.
 * @param {import('esbuild').PluginBuild} build
 */
function leaveOutside({ onResolve }) {
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
  return packageName(path) in (manifest.dependencies ?? {})
}

/** @param {string} path of a module of a package */
function packageName(path) {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/')
}
