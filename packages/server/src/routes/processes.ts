import type { ConnectRouter } from '@connectrpc/connect'
import { Processes } from '@nsbox/api/gen/nsbox/tasks/v1/processes_pb'
import type { TasksOf } from '../tasks/tasks-of.ts'

/** Serves operations on processes that containerd's task service lacks. */
export function processesRoutes(router: ConnectRouter, tasksOf: TasksOf): void {
  router.service(Processes, {
    async kill({ containerId, pid, signal }, context) {
      await tasksOf(context).kill(containerId, signal, { pid, signal: context.signal })
      return {}
    },
  })
}
