import { readFileSync } from 'node:fs'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { isErrno, NsboxError } from '@nsbox/errors'
import {
  encodeSpec,
  parseSpec,
  type Resources,
  type Spec,
  type UserNamespaceLimits,
  withinUserNamespace,
} from '@nsbox/oci/runtime-spec'
import { hasId, type IdRange, isInUserNamespace, ownIdRanges } from '@nsbox/sys/user-namespaces'
import type { CgroupHost } from '../cgroups/cgroup-host.ts'

/** What this process cannot give a container, since it is not root of the host. */
export interface HostLimits {
  readonly uids: readonly IdRange[]
  readonly gids: readonly IdRange[]
  /** Whether processes may get supplementary groups (setgroups(2)). */
  readonly groups: boolean
  /** As in `UserNamespaceLimits`. */
  readonly cgroup: string | undefined
}

/** The limits of this process; undefined for root of the host. */
export function hostLimits(cgroups: CgroupHost): HostLimits | undefined {
  if (!isInUserNamespace()) return undefined
  return {
    uids: ownIdRanges('uid'),
    gids: ownIdRanges('gid'),
    groups: maySetGroups(),
    cgroup: cgroups.delegated(),
  }
}

/**
 * The spec that a container gets within limits.
 *
 * @throws `failed_precondition` for a user that the namespace does not have, and for limits of resources where no
 * cgroup can be made; `invalid_argument` for an invalid spec
 */
export function limitedSpec({ typeUrl, value }: OpaqueValue, limits: HostLimits): OpaqueValue {
  const spec = parseSpec(value)
  checkUser(spec, limits)
  if (limits.cgroup === undefined) checkResources(spec.linux?.resources)
  const within: UserNamespaceLimits = {
    uids: limits.uids.map(mapped),
    gids: limits.gids.map(mapped),
    groups: limits.groups,
    cgroup: limits.cgroup,
  }
  return { typeUrl, value: encodeSpec(withinUserNamespace(within)(spec)) }
}

/** Refuses what only root of the host can do. @throws `failed_precondition` */
export function requireHostRoot(what: string): void {
  if (isInUserNamespace() || process.geteuid?.() !== 0)
    throw new NsboxError(
      'failed_precondition',
      `${what} needs a server that root runs: CRIU may not read or make processes for another user`,
    )
}

function checkUser({ process }: Spec, { uids, gids }: HostLimits): void {
  const { uid = 0, gid = 0 } = process?.user ?? {}
  if (hasId(uids, uid) && hasId(gids, gid)) return
  throw new NsboxError(
    'failed_precondition',
    `user ${uid}:${gid} of the container: the server's user namespace has no such id; ` +
      '`ctr doctor` tells how a user gets more',
  )
}

/** The rules for devices are dropped: a user namespace cannot make devices anyway. */
function checkResources(resources: Resources | undefined): void {
  const limits = Object.entries(resources ?? {}).filter(
    ([name, value]) => name !== 'devices' && isLimit(value),
  )
  if (limits.length === 0) return
  throw new NsboxError(
    'failed_precondition',
    `limits of the container (${limits.map(([name]) => name).join(', ')}) need a cgroup, and none is delegated to ` +
      'the user of the server; `ctr doctor` tells how to get one',
  )
}

/** The shares of processor time that every cgroup has by itself; clients such as ctr always name them. */
const usualShares = 1024

/** Whether a value, or one in it, changes what a process without a cgroup has; 0 and -1 stand for no limit. */
function isLimit(value: unknown, name = ''): boolean {
  if (typeof value === 'object' && value !== null)
    return Object.entries(value).some(([key, each]) => isLimit(each, key))
  if (typeof value === 'number' || typeof value === 'bigint')
    return value > 0 && !(name === 'shares' && Number(value) === usualShares)
  return value !== undefined && value !== null && value !== '' && value !== false
}

function mapped({ inside, count }: IdRange): UserNamespaceLimits['uids'][number] {
  return { containerID: inside, size: count }
}

function maySetGroups(): boolean {
  try {
    return readFileSync('/proc/self/setgroups', 'latin1').trim() !== 'deny'
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true
    throw error
  }
}
