import { lstatSync, mkdirSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { isErrno } from '@nsbox/errors'
import { systemClock } from '@nsbox/time'
import { mount as makeMount } from '../mount.ts'
import { parseMountOptions } from '../mount-options.ts'
import type { Mount } from '../mount-record.ts'
import { unmount } from '../unmount.ts'
import type { ActiveMount } from './active-mount.ts'
import { endLoopMount, makeLoopMount } from './loop-mount.ts'
import { withDirectories } from './make-directories.ts'
import { filledMount } from './mount-template.ts'
import { parseMountType, type Transformation } from './mount-type.ts'

/** How to activate mounts. */
export interface ActivateOptions {
  /** Make all of the mounts, and return a bind mount of the last; not by default. */
  readonly temporary?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** A list of mounts of which some have been made, so that any program can make the rest. */
export interface Activation {
  /** The mounts that were made, in order. */
  readonly active: readonly ActiveMount[]
  /** The mounts that are left, of types that the kernel knows. */
  readonly system: readonly Mount[]
}

/**
 * How many of the mounts have to be made first, so that the kernel can make the rest: all before the last with a
 * transformation, and each of the type `loop` (docs/behaviour.md §19). Undefined if all can be used directly.
 *
 * @throws `unimplemented` for an unknown transformation
 */
export function mountsToMake(mounts: readonly Mount[], temporary = false): number | undefined {
  if (temporary) return mounts.length
  const needs = mounts.map((mount, index) => {
    const { transformations, type } = parseMountType(mount.type)
    if (type === 'loop') return index + 1
    return transformations.length > 0 ? index : -1
  })
  const count = Math.max(-1, ...needs)
  return count === -1 ? undefined : count
}

/**
 * Makes the mounts that have to be made first, below a directory, which must exist and be empty, and fills in
 * references to them in the rest. All or nothing: after an error, all of them have been ended.
 *
 * @throws as `mountsToMake`, `filledMount`, `withDirectories` and `mount`
 */
export async function activateMounts(
  mounts: readonly Mount[],
  directory: string,
  { temporary = false, signal }: ActivateOptions = {},
): Promise<Activation> {
  const count = mountsToMake(mounts, temporary) ?? 0
  const active: ActiveMount[] = []
  try {
    for (const [index, given] of mounts.slice(0, count).entries()) {
      signal?.throwIfAborted()
      const mount = transformed(given, active)
      const mountPoint = join(directory, String(index).padStart(4, '0'))
      if (mount.type === 'loop') {
        makeLoopMount(mount, mountPoint)
      } else {
        mkdirSync(mountPoint, { mode: 0o700 })
        await makeMount(withoutPropagation(mount), mountPoint, { signal })
      }
      active.push({ mount, mountPoint, mountedAt: systemClock.stamp() })
    }
    const rest = mounts.slice(count).map((mount) => transformed(mount, active))
    const last = active.at(-1)
    const whole: Mount[] =
      temporary && last !== undefined ? [{ type: 'bind', source: last.mountPoint, options: ['rbind'] }] : []
    return { active, system: [...rest, ...whole] }
  } catch (error) {
    await deactivateMounts(directory)
    throw error
  }
}

/**
 * Ends the mounts of `activateMounts` below a directory, the last first; some may be missing. Other files there stay.
 *
 * @param options.lazy end mounts that are in use with their last user; by default that is an error
 * @throws `failed_precondition` while one of the mounts is in use
 */
export async function deactivateMounts(
  directory: string,
  { lazy = false }: { readonly lazy?: boolean | undefined } = {},
): Promise<void> {
  const names = readdirSync(directory).filter((name) => isMountName.test(name))
  for (const name of names.sort().reverse()) {
    const mountPoint = join(directory, name)
    if (lstatSync(mountPoint).isSymbolicLink()) {
      endLoopMount(mountPoint)
      continue
    }
    await unmount(mountPoint, { noFollow: true, recursive: true, lazy })
    removeEmpty(mountPoint)
  }
}

const isMountName = /^\d{4}$/

/** The kernel refuses it for a directory that something is mounted on. */
function removeEmpty(path: string): void {
  try {
    rmdirSync(path)
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error
  }
}

const transform: Readonly<Record<Transformation, (mount: Mount, active: readonly ActiveMount[]) => Mount>> = {
  format: filledMount,
  mkdir: withDirectories,
}

function transformed(mount: Mount, active: readonly ActiveMount[]): Mount {
  const { transformations, type } = parseMountType(mount.type)
  return transformations.reduce((result, name) => transform[name](result, active), { ...mount, type })
}

/** Later mounts in it do not propagate, unless the mount asks for that. */
function withoutPropagation(mount: Mount): Mount {
  const { propagation, remount, bind } = parseMountOptions(mount.options)
  if (remount || propagation !== undefined) return mount
  return { ...mount, options: [...mount.options, bind === 'recursive' ? 'rprivate' : 'private'] }
}
