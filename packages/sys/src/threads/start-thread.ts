import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { bundledSources } from './bundled-sources.ts'

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
  const script = bundledSources(fileURLToPath(new URL(`${name}.ts`, from)))
  // The process's own options may say what form a script has.
  return new Worker(script, { ...options, eval: true, execArgv: [] })
}
