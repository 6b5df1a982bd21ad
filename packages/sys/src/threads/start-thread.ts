import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { bundledSources } from './bundled-sources.ts'

/**
 * Starts a thread that runs a module.
 *
 * @param name of the module, relative to the caller and without the ending, which is the same as the caller's
 * @param from the URL of the caller
 * @param workerData available under this name in the thread's `node:worker_threads`
 */
export function startThread(name: string, from: string, workerData?: unknown): Worker {
  // Otherwise Node warns about every descriptor that a thread closes but did not open by Node's own functions.
  const options = { trackUnmanagedFds: false, workerData }
  if (!from.endsWith('.ts')) return new Worker(new URL(`${name}.js`, from), options)
  const script = bundledSources(fileURLToPath(new URL(`${name}.ts`, from)))
  // The process's own options may set a form of scripts.
  return new Worker(script, { ...options, eval: true, execArgv: [] })
}
