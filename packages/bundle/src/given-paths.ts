import { readFile } from 'node:fs/promises'
import type { Mount } from '@nsbox/core/snapshots'
import type { GivenPaths, ProcessIo } from '@nsbox/core/tasks'
import { isInvalidArgument } from '@nsbox/errors'
import { outputTarget } from '@nsbox/supervisor'
import type { Bundle } from './bundle.ts'
import { readSpecObject } from './bundle-spec.ts'
import { type SpecPaths, specPaths } from './spec-paths.ts'

/**
 * What the spec gives besides; undefined for nothing. Its sources may be in the root file system, so that must be
 * mounted.
 */
export function pathsOfSpec(
  { mounts, changesMounts }: SpecPaths,
  { path: base }: Bundle,
): GivenPaths | undefined {
  const named = mounts.filter(namesPath)
  return named.length === 0 ? undefined : { mounts: named, base, changeable: changesMounts }
}

/** All that a task has been given, for a process in it that has the right to change mounts. */
export async function pathsOfChanging({ rootfs, path: base, config }: Bundle): Promise<GivenPaths> {
  const { mounts } = specPaths(await readSpecObject(await readFile(config), 'spec'))
  return { mounts: [readOnly(rootfs), ...mounts.filter(namesPath)], base, changeable: true }
}

/**
 * Files that output is written to. What cannot be read is refused by whoever opens it; a program that takes the output
 * does as it likes.
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

/** Most mounts of a spec are of file systems without a source, which need not be looked at. */
function namesPath({ type, source, options }: Mount): boolean {
  const isBind = type === 'bind' || options.some((option) => /(?:^|,)r?bind(?:,|$)/.test(option))
  return (
    isBind ||
    source.startsWith('/') ||
    options.some((option) => option.includes('/') || option.includes('dir'))
  )
}

/** A bind mount of a directory that is not written to. */
export function readOnly(source: string): Mount {
  return { type: 'bind', source, options: ['rbind', 'ro'] }
}
