import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/**
 * Starts a thread that runs a module.
 *
 * Threads do not inherit what reads TypeScript: from the sources it is brought along, for which the package that has the
 * module needs `tsx` for development.
 *
 * @param name of the module, relative and without the ending, which is the same as that of the module that asks
 * @param from the URL of the module that asks
 * @param workerData what the thread finds under this name in `node:worker_threads`
 */
export function startThread(name: string, from: string, workerData?: unknown): Worker {
  // Node would complain of every descriptor that a thread closes but has not opened by Node's own functions.
  const options = { trackUnmanagedFds: false, workerData }
  if (!from.endsWith('.ts')) return new Worker(new URL(`${name}.js`, from), options)
  // By the file: `require.resolve` would find the form for require, which registers nothing for import.
  const loader = pathToFileURL(createRequire(from).resolve('tsx'))
  const tsx = new URL('./esm/api/index.mjs', loader).href
  const entry = new URL(`${name}.ts`, from).href
  const script = `import('${tsx}').then(({ register }) => { register(); return import('${entry}') })`
  return new Worker(script, { ...options, eval: true, execArgv: ['--conditions=@nsbox/source'] })
}
