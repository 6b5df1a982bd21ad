import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { NsboxError, serializeError } from '@nsbox/errors'
import { keepDescriptorsIn } from '@nsbox/sys/files'
import {
  type FromTreeThread,
  type ResultOf,
  type ToTreeThread,
  type TreeJobKind,
  walkOf,
} from './tree-job.ts'
import { endWalk, type Walk } from './walk/walk.ts'

/** Milliseconds of a turn of one walk, and steps between two looks at the clock. */
const turn = 5
const steps = 16

interface Running {
  readonly walk: Walk<ResultOf<TreeJobKind>>
  /** The result of the last call. */
  result: number
}

/** The thread's side: it runs jobs in turns, so that a large tree does not delay a small one. */
function serve(port: MessagePort): void {
  const say = (message: FromTreeThread) => port.postMessage(message)
  const running = new Map<number, Running>()

  const goOn = () => {
    for (const [id, each] of running) {
      try {
        const step = advance(each)
        if (step?.done !== true) continue
        running.delete(id)
        say({ id, result: step.value })
      } catch (error) {
        running.delete(id)
        say({ id, error: serializeError(error) })
      }
    }
    if (running.size > 0) setImmediate(goOn)
  }

  port.on('message', (message: ToTreeThread) => {
    if (message.say === 'end') port.close()
    else if (message.say === 'run') {
      running.set(message.id, { walk: walkOf(message.kind, message.job), result: 0 })
      if (running.size === 1) setImmediate(goOn)
    } else {
      const { id } = message
      const canceled = running.get(id)
      if (canceled === undefined) return
      running.delete(id)
      try {
        const ended = endWalk(canceled.walk, canceled.result)
        if (ended === undefined) throw new NsboxError('canceled', 'work on a tree')
        say({ id, result: ended.value })
      } catch (error) {
        say({ id, error: serializeError(error) })
      }
    }
  })
}

/** Runs a walk for one turn. @returns the walk's result if it has ended */
function advance(each: Running): IteratorReturnResult<ResultOf<TreeJobKind>> | undefined {
  const end = performance.now() + turn
  for (let count = 1; ; count++) {
    const step = each.walk.next(each.result)
    if (step.done === true) return step
    each.result = step.value?.now() ?? 0
    if (count % steps === 0 && performance.now() >= end) return undefined
  }
}

if (parentPort === null) throw new Error('this module is the entry of a worker thread')
keepDescriptorsIn(workerData as SharedArrayBuffer)
serve(parentPort)
