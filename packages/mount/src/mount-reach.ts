import { isNsboxError } from '@nsbox/errors'
import type { Mount } from './mount-record.ts'
import { readTreeMount } from './tree-mount.ts'

/** A path of the host that mounts use. */
export interface ReachedPath {
  /** Absolute; it may have symbolic links and steps back, and need not exist. */
  readonly path: string
  /** Whether it may be written to through the mounts. */
  readonly writable: boolean
  /** Whether mounts below it may be written to as well. */
  readonly writableBelow: boolean
}

/** How mounts are going to be made. */
export interface MountReachOptions {
  /** The directory for relative paths; that of this process by default. */
  readonly base?: string | undefined
  /**
   * Whether the mounts may be changed afterwards, as by a container with the right to: then read-only mounts can be
   * written to as well, except for the lower directories of overlays. False by default.
   */
  readonly changeable?: boolean | undefined
}

/**
 * All paths of the host that mounts use, as far as their records show, and which of them may be written to. The records
 * may be for other programs than this package. In a record that is contradictory or unknown, every text that could be a
 * path counts as writable.
 */
export function mountReach(mounts: readonly Mount[], options: MountReachOptions = {}): ReachedPath[] {
  // A remount can make a mount writable.
  const changeable = options.changeable === true || mounts.some((mount) => words(mount).has('remount'))
  const reached = new Map<string, ReachedPath>()
  const base = options.base ?? process.cwd()
  // Not normalised: `..` after a symbolic link means the parent of where the link leads.
  const absolute = (path: string) => (path.startsWith('/') ? path : `${base}/${path}`)
  for (const mount of mounts) {
    for (const { path, writable, writableBelow } of reachOf(mount, changeable)) {
      // No mount program reads them as a path.
      if (path === '' || path.includes('\0')) continue
      const place = absolute(path)
      const before = reached.get(place)
      reached.set(place, {
        path: place,
        writable: writable || (before?.writable ?? false),
        writableBelow: writableBelow || (before?.writableBelow ?? false),
      })
    }
  }
  return [...reached.values()]
}

function reachOf(mount: Mount, changeable: boolean): ReachedPath[] {
  const said = words(mount)
  const tree = clearTree(mount)
  if (tree === 'unclear' && isBind(mount) && mount.type !== 'overlay' && !mount.options.some(isPathOption)) {
    // Options that other programs may know, or that contradict each other.
    const readOnly = (said.has('ro') || said.has('rro')) && !said.has('rw') && !said.has('rrw')
    return [access(mount.source, !readOnly || changeable, !said.has('rro') || changeable)]
  }
  if (tree === 'unclear' || tree === undefined) return allPaths(mount).map((path) => access(path, true))
  // The attribute is only that of this mount, not of those below it.
  if (tree.kind === 'bind') return [access(tree.directory, !tree.readOnly || changeable, true)]
  const { lower, upper, work } = tree.layers
  return [
    ...lower.map((path) => access(path, false)),
    // The kernel prepares them even if nothing else is written.
    ...[upper, work].filter((path) => path !== undefined).map((path) => access(path, true)),
  ]
}

function access(path: string, writable: boolean, writableBelow = writable): ReachedPath {
  return { path, writable, writableBelow }
}

function clearTree(mount: Mount): ReturnType<typeof readTreeMount> | 'unclear' {
  // Programs that join options with commas would split one with a comma.
  if (mount.options.some((option) => /(?<!\\)(?:\\\\)*,/.test(option))) return 'unclear'
  try {
    return readTreeMount(mount)
  } catch (error) {
    if (isNsboxError(error)) return 'unclear'
    throw error
  }
}

/** All words of the options, split at commas. */
function words({ options }: Mount): Set<string> {
  return new Set(options.flatMap((option) => option.split(',')))
}

function isBind(mount: Mount): boolean {
  const said = words(mount)
  return mount.type === 'bind' || said.has('bind') || said.has('rbind')
}

const isPathOption = (option: string) => /(?:dir|dirs|br)\+?=|[=:,]\//.test(option)

/** Every text in a record that some file system could read as a path. */
function allPaths(mount: Mount): string[] {
  const { source, options } = mount
  const texts = new Set<string>()
  const add = (text: string) => {
    if (text.startsWith('/')) texts.add(text)
  }
  if (isBind(mount)) texts.add(source)
  else add(source)
  for (const option of options) {
    const isDirectory = /dir\+?=/.test(option)
    for (const value of [option, ...option.split(/(?<!\\),/), ...option.split(',')]) {
      const said = value.slice(value.indexOf('=') + 1)
      for (const part of [said, ...said.split(/(?<!\\):/), ...said.split(':')]) {
        for (const text of [part, part.replace(/\\(.)/g, '$1')]) {
          if (isDirectory && !text.includes('=')) texts.add(text)
          else add(text)
        }
      }
    }
  }
  return [...texts]
}
