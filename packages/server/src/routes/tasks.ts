import type { ConnectRouter } from '@connectrpc/connect'
import { Tasks } from '@nsbox/api/gen/services/tasks/v1/tasks_pb'
import { NsboxError } from '@nsbox/errors'
import { fromDescriptorMessage, toDescriptorMessage } from '../convert/descriptor.ts'
import { fromRootfsMessages } from '../convert/mount.ts'
import { toDeletedMessage, toExitMessage, toProcessMessage } from '../convert/process.ts'
import { toMetricMessage } from '../convert/task-metrics.ts'
import type { TasksOf } from '../tasks/tasks-of.ts'

/** Serves the tasks of containers. */
export function tasksRoutes(router: ConnectRouter, tasksOf: TasksOf): void {
  router.service(Tasks, {
    async create(request, context) {
      const { containerId, rootfs, stdin, stdout, stderr, terminal, checkpoint, options } = request
      const { pid } = await tasksOf(context).create(containerId, {
        rootfs: fromRootfsMessages(rootfs),
        ...{ stdin, stdout, stderr, terminal },
        options,
        runtimePath: request.runtimePath || undefined,
        checkpoint: checkpoint && fromDescriptorMessage(checkpoint, 'checkpoint'),
        signal: context.signal,
      })
      return { containerId, pid }
    },
    start({ containerId, execId }, context) {
      return tasksOf(context).start(containerId, { execId, signal: context.signal })
    },
    async delete({ containerId }, context) {
      return toDeletedMessage(containerId, await tasksOf(context).delete(containerId, context))
    },
    async deleteProcess({ containerId, execId }, context) {
      return toDeletedMessage(execId, await tasksOf(context).deleteProcess(containerId, execId, context))
    },
    async get({ containerId, execId }, context) {
      const process = await tasksOf(context).get(containerId, { execId, signal: context.signal })
      return { process: toProcessMessage(process) }
    },
    async list(_request, context) {
      return { tasks: (await tasksOf(context).list(context)).map(toProcessMessage) }
    },
    async kill({ containerId, execId, signal, all }, context) {
      await tasksOf(context).kill(containerId, signal, { execId, all, signal: context.signal })
      return {}
    },
    async exec({ containerId, execId, stdin, stdout, stderr, terminal, spec }, context) {
      if (spec === undefined) throw new NsboxError('invalid_argument', 'process spec must be set')
      const io = { stdin, stdout, stderr, terminal }
      await tasksOf(context).exec(containerId, execId, { ...io, spec, signal: context.signal })
      return {}
    },
    async resizePty({ containerId, execId, width, height }, context) {
      const choice = { execId, signal: context.signal }
      await tasksOf(context).resize(containerId, { width, height }, choice)
      return {}
    },
    async closeIO({ containerId, execId, stdin }, context) {
      if (stdin) await tasksOf(context).closeStdin(containerId, { execId, signal: context.signal })
      return {}
    },
    async pause({ containerId }, context) {
      await tasksOf(context).pause(containerId, context)
      return {}
    },
    async resume({ containerId }, context) {
      await tasksOf(context).resume(containerId, context)
      return {}
    },
    async listPids({ containerId }, context) {
      return { processes: await tasksOf(context).pids(containerId, context) }
    },
    async checkpoint({ containerId, parentCheckpoint: parent, options }, context) {
      const stored = await tasksOf(context).checkpoint(containerId, {
        parent,
        options,
        signal: context.signal,
      })
      return { descriptors: stored.map(toDescriptorMessage) }
    },
    async update({ containerId, resources, annotations }, context) {
      await tasksOf(context).update(containerId, { resources, annotations, signal: context.signal })
      return {}
    },
    async metrics({ filters }, context) {
      return { metrics: (await tasksOf(context).metrics(filters, context)).map(toMetricMessage) }
    },
    async wait({ containerId, execId }, context) {
      return toExitMessage(await tasksOf(context).wait(containerId, { execId, signal: context.signal }))
    },
  })
}
