import { NsboxError } from '@nsbox/errors'
import { type FileSystemOption, parseMountOptions } from './mount-options.ts'
import type { Mount } from './mount-record.ts'

/** The directories that an overlay is made of. */
export interface OverlayLayers {
  /** The read-only ones, the topmost first; without any, it tells where to write but cannot be mounted. */
  readonly lower: readonly string[]
  /** The one that takes what is written; without it the overlay is read-only. */
  readonly upper?: string
  /** An empty directory on the file system of `upper`, which goes with it. */
  readonly work?: string
}

/**
 * An overlay as a mount that other programs can mount too: directories whose names have a backslash, colon or
 * comma are written in the way that the kernel reads.
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

/** The directories of an overlay, read as the kernel reads them; undefined for a mount of another type. */
export function overlayLayers(mount: Mount): OverlayLayers | undefined {
  if (mount.type !== 'overlay') return undefined
  return takeOverlayLayers(parseMountOptions(mount.options).fileSystem).layers
}

/**
 * Takes the directories out of the options of an overlay, reading `lowerdir`, `upperdir` and `workdir` as the
 * kernel does: a backslash stands before a character meant literally, a colon parts lower directories.
 *
 * @returns the directories as they are called, and the other options
 * @throws `invalid_argument` for an empty directory, a backslash at the end, or a second value for one of the
 * three
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

/** The paths of a value: colons part them if `parted`, and a backslash makes the next character literal. */
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
