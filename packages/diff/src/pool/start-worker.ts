import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

/**
 * Starts the thread that works. Threads do not inherit what reads TypeScript: from the sources it is brought along.
 * @param descriptors where it notes what it has open
 */
export function startWorker(descriptors: SharedArrayBuffer): Worker {
  // Node would complain of every descriptor that it closes but has not opened itself.
  const options = { trackUnmanagedFds: false, workerData: descriptors }
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('./worker.js', import.meta.url), options)
  // By the file: `require.resolve` would find the form for require, which registers nothing for import.
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx'))
  const tsx = new URL('./esm/api/index.mjs', loader).href
  const entry = new URL('./worker.ts', import.meta.url).href
  const script = `import('${tsx}').then(({ register }) => { register(); return import('${entry}') })`
  return new Worker(script, { ...options, eval: true, execArgv: ['--conditions=@nsbox/source'] })
}
