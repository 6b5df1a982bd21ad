import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { serializeError } from '@nsbox/errors'
import { fileCalls, keepDescriptorsIn } from '@nsbox/sys/files'
import { applyLayer } from '../apply/apply-layer.ts'
import { makeLayer } from '../compare/make-layer.ts'
import type { FromWorker, ToWorker, Work, WorkKind, WorkToDo } from './protocol.ts'

function work(todo: WorkToDo, options: { readonly signal: AbortSignal }): Promise<Work[WorkKind]['result']> {
  return todo.kind === 'apply' ? applyLayer(todo.job, options) : makeLayer(todo.job, options)
}

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
      say({ say: 'done', id, result: await work(message, { signal: abort.signal }) })
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
// With this umask most files of a layer get their mode when they are created. With a server's, 0077, each would need
// another call, as it does where a thread cannot have a umask of its own.
if (process.platform === 'linux') fileCalls.umaskOfThread(0o022)
serve(parentPort)
