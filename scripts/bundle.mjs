import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { build } from 'esbuild'
import { launcher, native } from './launcher.mjs'

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

/**
 * @typedef {object} Bundle a file that is made of sources
 * @property {string} entry the source, as seen from the package
 * @property {string} outfile as seen from the package
 * @property {'program' | 'library'} [kind] either is put into `NAME.main.js`, and `NAME.js` loads it (see
 *   launcher.mjs); in a program, `Headers` are plain-headers.ts
 * @property {'whole' | 'little'} [takes] `whole` leaves only native code outside; `little` leaves all dependencies
 *   outside, so that only parts of packages are taken in that would bring native code along
 */

/**
 * Makes all bundles of a package.
 *
 * @param {string} directory of the package
 * @param {readonly Bundle[]} bundles
 * @returns {Promise<{ inputs: string[], outputs: string[] }>} the files they were made of, and those that were made
 */
export async function makeBundles(directory, bundles) {
  // Their names change with their contents.
  for (const { outfile } of bundles)
    rmSync(join(directory, dirname(outfile), 'chunks'), { recursive: true, force: true })
  const made = await Promise.all(bundles.map((bundle) => makeBundle(directory, bundle)))
  return {
    inputs: [...new Set(made.flatMap(({ inputs }) => inputs))],
    outputs: made.flatMap(({ outputs }) => outputs),
  }
}

/**
 * Bundles the entry file of a program or a thread into one file, so that it starts nearly as fast as Node itself.
 * Everything is taken in except the packages above. What is imported dynamically goes into files of its own in `chunks`
 * beside it, so that commands that do not need it do not pay for it.
 *
 * @param {string} directory of the package
 * @param {Bundle} bundle
 */
async function makeBundle(directory, { entry, outfile, kind, takes }) {
  const manifest = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  /** @param {string} path */
  const isDeclared = (path) => packageName(path) in { ...manifest.dependencies, ...manifest.peerDependencies }
  const outdir = dirname(outfile)
  const name = basename(outfile, '.js')
  const { metafile } = await build({
    absWorkingDir: directory,
    entryPoints: [{ in: entry, out: kind === undefined ? name : `${name}.main` }],
    outdir,
    chunkNames: 'chunks/[name]-[hash]',
    bundle: true,
    // What several files share is one more file; a whole bundle is one, and evaluates what is dynamic when it is asked
    // for.
    splitting: takes !== 'whole',
    plugins: [
      { name: 'outside', setup: (build) => leaveOutside(build, { takes, own: manifest.name, isDeclared }) },
    ],
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['@nsbox/source'],
    // Native code that `ws` would use if it were there.
    define: { 'process.env.WS_NO_BUFFER_UTIL': '"1"', 'process.env.WS_NO_UTF_8_VALIDATE': '"1"' },
    inject: kind === 'program' ? [join(import.meta.dirname, 'plain-headers.ts')] : [],
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
  // What stays outside is looked up from this package, so it must be a dependency of this package.
  const undeclared = Object.values(metafile.outputs)
    .flatMap(({ imports }) => imports)
    .filter(({ path, external }) => external && !isNode(path) && !isDeclared(path))
    .map(({ path }) => path)
  if (undeclared.length > 0)
    throw new Error(`${outfile} loads what ${manifest.name} does not depend on: ${undeclared.join(', ')}`)
  const outputs = Object.keys(metafile.outputs)
  if (kind !== undefined) {
    writeFileSync(join(directory, outfile), launcher(name, { directory, outdir, metafile }))
    outputs.push(outfile)
  }
  return { inputs: Object.keys(metafile.inputs), outputs }
}

/**
 * esbuild's own option would leave the entries out that are to be inside.
 *
 * @param {import('esbuild').PluginBuild} build
 * @param {{ takes: Bundle['takes'], own: string, isDeclared: (path: string) => boolean }} how
 */
function leaveOutside({ onResolve }, { takes, own, isDeclared }) {
  onResolve({ filter: new RegExp(`^(${native.join('|')})$`) }, ({ path }) => ({ path, external: true }))
  if (takes === 'whole') return
  if (takes === 'little')
    onResolve({ filter: /^[@a-z]/ }, ({ path }) =>
      isDeclared(path) && !inside.includes(path) ? { path, external: true } : undefined,
    )
  onResolve({ filter: /^@nsbox\// }, ({ path }) => {
    const name = packageName(path)
    if (name === own || inside.includes(path)) return undefined
    const external = outside.includes(name) || (withThreads.includes(name) && isDeclared(path))
    return external ? { path, external } : undefined
  })
}

/** @param {string} path of a module that may be newer than this Node */
function isNode(path) {
  return isBuiltin(path) || path.startsWith('node:')
}

/** @param {string} path of a module of a package */
function packageName(path) {
  return path.split('/', path.startsWith('@') ? 2 : 1).join('/')
}
