import { readFile } from 'node:fs/promises'
import type { Mount } from '@nsbox/core/snapshots'
import type { GivenPaths, ProcessIo } from '@nsbox/core/tasks'
import { isInvalidArgument } from '@nsbox/errors'
import { outputTarget } from '@nsbox/supervisor'
import type { Bundle } from './bundle.ts'
import { readSpecObject } from './bundle-spec.ts'
import { type SpecPaths, specPaths } from './spec-paths.ts'

/** The paths in a spec; undefined for none. They may be in the root file system, so that must be mounted. */
export function pathsOfSpec(
  { mounts, changesMounts }: SpecPaths,
  { path: base }: Bundle,
): GivenPaths | undefined {
  const named = mounts.filter(namesPath)
  return named.length === 0 ? undefined : { mounts: named, base, changeable: changesMounts }
}

/** All paths of a task, for a process that may change mounts. */
export async function pathsOfChanging({ rootfs, path: base, config }: Bundle): Promise<GivenPaths> {
  const { mounts } = specPaths(await readSpecObject(await readFile(config), 'spec'))
  return { mounts: [readOnly(rootfs), ...mounts.filter(namesPath)], base, changeable: true }
}

/**
 * Files that output is written to. Invalid values are refused where they are opened; a program that takes the output
 * may write anywhere.
 */
export function outputFiles({ stdout, stderr }: ProcessIo): string[] {
  return [stdout, stderr].flatMap((output) => {
    try {
      const target = outputTarget(output)
      return target.kind === 'path' || target.kind === 'file' ? [target.path] : []
    } catch (error) {
      if (isInvalidArgument(error)) return []
      throw error
    }
  })
}

/** Most mounts of a spec have no path as their source, and are not looked at. */
function namesPath({ type, source, options }: Mount): boolean {
  const isBind = type === 'bind' || options.some((option) => /(?:^|,)r?bind(?:,|$)/.test(option))
  return (
    isBind ||
    source.startsWith('/') ||
    options.some((option) => option.includes('/') || option.includes('dir'))
  )
}

/** A read-only bind mount of a directory. */
export function readOnly(source: string): Mount {
  return { type: 'bind', source, options: ['rbind', 'ro'] }
}
