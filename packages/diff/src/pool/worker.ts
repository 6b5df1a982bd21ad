import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { serializeError } from '@nsbox/errors'
import { applyLayer } from '../apply/apply-layer.ts'
import { keepDescriptorsIn } from '../extract/descriptors.ts'
import type { FromWorker, ToWorker } from './protocol.ts'

/** The worker's side of the protocol. */
function serve(port: MessagePort): void {
  const say = (message: FromWorker) => port.postMessage(message)
  let current: { readonly id: number; readonly abort: AbortController } | undefined
  port.on('message', async (message: ToWorker) => {
    const { id } = message
    if (message.say === 'abort') {
      if (current?.id === id) current.abort.abort()
      return
    }
    const abort = new AbortController()
    current = { id, abort }
    try {
      say({ say: 'done', id, result: await applyLayer(message.job, { signal: abort.signal }) })
    } catch (error) {
      say({ say: 'failed', id, error: serializeError(error) })
    } finally {
      current = undefined
    }
  })
  say({ say: 'ready' })
}

if (parentPort === null) throw new Error('this module is the entry of a worker thread')
keepDescriptorsIn(workerData as SharedArrayBuffer)
serve(parentPort)
