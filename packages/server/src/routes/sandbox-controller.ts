import type { ConnectRouter, HandlerContext } from '@connectrpc/connect'
import { toTimestamp } from '@nsbox/api'
import { Controller } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import { isNotFound, NsboxError, quoted } from '@nsbox/errors'
import { defaultPlatform } from '@nsbox/oci'
import { systemClock, Timestamp } from '@nsbox/time'
import { toPlatformMessage } from '../convert/platform.ts'
import type { NamespacedSandboxes, SandboxStatus } from '../sandboxes/running-sandboxes.ts'

/** Finds the sandboxes of a call's namespace. */
export type SandboxesOf = (context: HandlerContext) => NamespacedSandboxes

/** Names of this controller that a client may choose; the second is its name in containerd 2.0. */
const names: ReadonlySet<string> = new Set(['', 'shim'])

/** Serves the sandboxes that have been created (docs/behaviour.md §18). */
export function sandboxControllerRoutes(router: ConnectRouter, sandboxes: SandboxesOf): void {
  router.service(Controller, {
    async create({ sandboxId, sandboxer, rootfs, netnsPath }, context) {
      requireName(sandboxer)
      if (rootfs.length > 0) throw new NsboxError('unimplemented', 'rootfs of a sandbox')
      if (netnsPath !== '') throw new NsboxError('unimplemented', 'netns_path of a sandbox')
      await sandboxes(context).create(sandboxId, context)
      return { sandboxId }
    },
    async start({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      const { createdAt } = await sandboxes(context).start(sandboxId, context)
      return { sandboxId, createdAt: time(createdAt) }
    },
    async platform({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      await sandboxes(context).status(sandboxId, context)
      return { platform: toPlatformMessage(defaultPlatform()) }
    },
    async stop({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      await sandboxes(context).stop(sandboxId, context)
      return {}
    },
    async wait({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      const { exitStatus, exitedAt } = await sandboxes(context).wait(sandboxId, context)
      return { exitStatus, exitedAt: time(exitedAt) }
    },
    async status({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      return await sandboxes(context)
        .status(sandboxId, context)
        .then(toStatus, (error: unknown) => {
          if (!isNotFound(error)) throw error
          return { sandboxId, exitedAt: toTimestamp(systemClock.stamp()) }
        })
    },
    async shutdown({ sandboxId, sandboxer }, context) {
      requireName(sandboxer)
      await sandboxes(context).shutdown(sandboxId, context)
      return {}
    },
    async metrics() {
      throw new NsboxError('unimplemented', 'metrics of a sandbox, which has no process')
    },
    async update() {
      throw new NsboxError('unimplemented', 'updating a sandbox that was created')
    },
  })
}

function toStatus({ id, state, createdAt, exitedAt }: SandboxStatus) {
  return {
    ...{ sandboxId: id, state, createdAt: time(createdAt) },
    ...(exitedAt !== undefined && { exitedAt: time(exitedAt) }),
  }
}

function time(microseconds: number) {
  return toTimestamp(Timestamp.fromEpochMicroseconds(microseconds))
}

function requireName(sandboxer: string): void {
  if (!names.has(sandboxer)) throw new NsboxError('not_found', `sandbox controller ${quoted(sandboxer)}`)
}
