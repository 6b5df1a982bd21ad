import { type MessagePort, parentPort } from 'node:worker_threads'
import { NsboxError, serializeError } from '@nsbox/errors'
import type { FromCopyThread, ToCopyThread } from './copy-job.ts'
import { copyTree } from './copy-tree.ts'

/** The thread's side: it copies what it is told, one tree after another. */
function serve(port: MessagePort): void {
  const say = (message: FromCopyThread) => port.postMessage(message)
  port.on('message', ({ id, job, canceled }: ToCopyThread) => {
    const step = () => {
      if (Atomics.load(canceled, 0) !== 0) throw new NsboxError('canceled', 'copying a tree')
    }
    try {
      copyTree(job, step)
      say({ id })
    } catch (error) {
      say({ id, error: serializeError(error) })
    }
  })
}

if (parentPort === null) throw new Error('this module is the entry of a worker thread')
serve(parentPort)
