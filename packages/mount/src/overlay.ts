import { NsboxError } from '@nsbox/errors'
import { type FileSystemOption, parseMountOptions } from './mount-options.ts'
import type { Mount } from './mount-record.ts'

/** The directories of an overlay. */
export interface OverlayLayers {
  /** The read-only ones, the topmost first; without any, it only shows where to write, and cannot be mounted. */
  readonly lower: readonly string[]
  /** The one for changes; without it the overlay is read-only. */
  readonly upper?: string
  /** An empty directory on the file system of `upper`, which requires it. */
  readonly work?: string
}

/**
 * An overlay as a mount for any program: backslashes, colons and commas in names of directories are escaped as the
 * kernel expects.
 *
 * @param options more options, such as `index=off`
 */
export function overlayMount(layers: OverlayLayers, options: readonly string[] = []): Mount {
  const { lower, upper, work } = layers
  return {
    type: 'overlay',
    source: 'overlay',
    options: [
      ...options,
      ...(work === undefined ? [] : [`workdir=${escaped(work)}`]),
      ...(upper === undefined ? [] : [`upperdir=${escaped(upper)}`]),
      ...(lower.length === 0 ? [] : [`lowerdir=${lower.map(escaped).join(':')}`]),
    ],
  }
}

function escaped(path: string): string {
  return path.replace(/[\\:,]/g, '\\$&')
}

/** The directories of an overlay, parsed like the kernel does; undefined for a mount of another type. */
export function overlayLayers(mount: Mount): OverlayLayers | undefined {
  if (mount.type !== 'overlay') return undefined
  return takeOverlayLayers(parseMountOptions(mount.options).fileSystem).layers
}

/**
 * Separates the directories from the options of an overlay, parsing `lowerdir`, `upperdir` and `workdir` like the
 * kernel: a backslash escapes a character, a colon separates lower directories.
 *
 * @returns the directories by their real names, and the other options
 * @throws `invalid_argument` for an empty directory, a backslash at the end, or a second value for one of the three
 */
export function takeOverlayLayers(options: readonly FileSystemOption[]): {
  layers: OverlayLayers
  others: FileSystemOption[]
} {
  const values = new Map<string, string[]>()
  const others: FileSystemOption[] = []
  for (const option of options) {
    const { key, value } = option
    if (key !== 'lowerdir' && key !== 'upperdir' && key !== 'workdir') others.push(option)
    else if (value === undefined || values.has(key))
      throw new NsboxError('invalid_argument', `overlay option ${key} without a value or with two`)
    else values.set(key, readPaths(value, key === 'lowerdir'))
  }
  const upper = values.get('upperdir')?.[0]
  const work = values.get('workdir')?.[0]
  return {
    layers: {
      lower: values.get('lowerdir') ?? [],
      ...(upper === undefined ? {} : { upper }),
      ...(work === undefined ? {} : { work }),
    },
    others,
  }
}

/** The paths of a value: colons separate them if `parted`, and a backslash escapes the next character. */
function readPaths(value: string, parted: boolean): string[] {
  const paths: string[] = []
  let path = ''
  for (const [token] of value.matchAll(/[^\\:]+|:|\\.?/gs)) {
    if (token === '\\')
      throw new NsboxError(
        'invalid_argument',
        `overlay directory ${JSON.stringify(value)} ends with a backslash`,
      )
    if (token === ':' && parted) {
      paths.push(path)
      path = ''
    } else path += token.startsWith('\\') ? token.slice(1) : token
  }
  paths.push(path)
  if (paths.includes(''))
    throw new NsboxError('invalid_argument', `overlay directories ${JSON.stringify(value)}: one is empty`)
  return paths
}
