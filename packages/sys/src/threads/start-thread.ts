import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'

/**
 * Starts a thread that runs a module.
 *
 * @param name of the module, relative and without the ending, which is the same as that of the module that asks
 * @param from the URL of the module that asks
 * @param workerData what the thread finds under this name in `node:worker_threads`
 */
export function startThread(name: string, from: string, workerData?: unknown): Worker {
  // Node would complain of every descriptor that a thread closes but has not opened by Node's own functions.
  const options = { trackUnmanagedFds: false, workerData }
  if (!from.endsWith('.ts')) return new Worker(new URL(`${name}.js`, from), options)
  const script = bundled(fileURLToPath(new URL(`${name}.ts`, from)))
  // The process's own options may say what form a script has.
  return new Worker(script, { ...options, eval: true, execArgv: [] })
}

type BuildSync = (options: object) => { readonly outputFiles: readonly [{ readonly text: string }] }

const bundles = new Map<string, string>()

/**
 * A module of the sources and all that it imports, as one script: threads do not inherit what reads TypeScript, and
 * would need half a second each to bring it along. Native code is found from here.
 */
function bundled(entry: string): string {
  const known = bundles.get(entry)
  if (known !== undefined) return known
  const { buildSync } = createRequire(import.meta.url)('esbuild') as { readonly buildSync: BuildSync }
  const { text } = buildSync({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    conditions: ['@nsbox/source'],
    define: { 'import.meta.url': JSON.stringify(import.meta.url) },
    logLevel: 'error',
  }).outputFiles[0]
  bundles.set(entry, text)
  return text
}
