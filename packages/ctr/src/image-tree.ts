import { type AbortOptions, type ContentReader, readBlob } from '@nsbox/core/content'
import type { Image } from '@nsbox/core/images'
import { isNotFound, printable, undefinedIf } from '@nsbox/errors'
import { checkGraph, documentsBudget, readChildren } from '@nsbox/images'
import {
  type Descriptor,
  formatPlatform,
  isIndex,
  isManifest,
  maxDocumentSize,
  parseStrictJson,
} from '@nsbox/oci'
import { goTime } from './go-time.ts'
import { indentJson } from './indent-json.ts'

/** What stands before the lines of a part of the image, and before those of what is below it. */
interface Place {
  readonly first: string
  readonly rest: string
}

const below = {
  middle: ({ rest }: Place): Place => ({ first: `${rest}├── `, rest: `${rest}│   ` }),
  last: ({ rest }: Place): Place => ({ first: `${rest}└── `, rest: `${rest}    ` }),
}

/** How to show an image. */
export interface ImageTreeOptions extends AbortOptions {
  /** Show labels of blobs and text of JSON documents as well. */
  readonly documents: boolean
}

/**
 * The lines that show an image as a tree of indexes, manifests, configs and layers, as containerd 2 does. What is
 * absent from the store is shown as that, but for layers and, without `documents`, configs, which are not looked up.
 *
 * @throws `invalid_argument` for documents that are none or nested too deep, `data_loss` for damaged ones,
 * `resource_exhausted` for one of more than 4 MiB or for more than 64 MiB in all, each time that one is shown
 */
export async function* imageTree(
  content: Pick<ContentReader, 'info' | 'read'>,
  image: Image,
  options: ImageTreeOptions,
): AsyncGenerator<string, void, undefined> {
  for await (const line of treeLines(content, image, options)) yield printable(line)
}

async function* treeLines(
  content: Pick<ContentReader, 'info' | 'read'>,
  { name, target, labels, createdAt, updatedAt }: Image,
  { documents, signal }: ImageTreeOptions,
): AsyncGenerator<string, void, undefined> {
  const budget = documentsBudget(target)
  yield name
  yield `│    Created: ${goTime(createdAt)}`
  yield `│    Updated: ${goTime(updatedAt)}`
  for (const [key, value] of sorted(labels)) yield `│    Label ${quoted(key)}: ${quoted(value)}`
  yield* part(target, below.last({ first: '', rest: '' }), 0)

  async function* part(
    descriptor: Descriptor,
    place: Place,
    depth: number,
  ): AsyncGenerator<string, void, undefined> {
    checkGraph(target.digest, depth, 0)
    const { digest, mediaType, platform } = descriptor
    const inner = `${place.rest}│   `
    yield lineOf(descriptor, place)
    if (platform?.architecture) yield `${inner} Platform: ${formatPlatform(platform)}`
    const info = await undefinedIf(isNotFound, content.info(digest, { signal }))
    if (info === undefined) {
      yield `${place.rest}└──  Content does not exist locally, skipping`
      return
    }
    const children = await readChildren(content, descriptor, { documents: budget, signal })
    if (documents) yield* blob(descriptor, info.labels, inner)
    for (const [index, child] of children.entries()) {
      const childPlace = index === children.length - 1 ? below.last(place) : below.middle(place)
      if (isIndex(mediaType)) yield* part(child, childPlace, depth + 1)
      else {
        yield lineOf(child, childPlace)
        if (documents && index === 0 && isManifest(mediaType)) yield* config(child, childPlace)
      }
    }
  }

  async function* config(descriptor: Descriptor, { rest }: Place): AsyncGenerator<string, void, undefined> {
    const info = await undefinedIf(isNotFound, content.info(descriptor.digest, { signal }))
    if (info === undefined) yield `${rest} Content does not exist locally, skipping`
    else yield* blob(descriptor, info.labels, rest)
  }

  /** Labels of a blob, and its text if it is JSON. */
  async function* blob(
    descriptor: Descriptor,
    blobLabels: Image['labels'],
    before: string,
  ): AsyncGenerator<string, void, undefined> {
    const entries = sorted(blobLabels)
    if (entries.length > 0)
      yield* box(
        'Labels─',
        entries.map(([key, value]) => `${quoted(key)}: ${quoted(value)}`),
      )
    if (!descriptor.mediaType.endsWith('json')) return
    budget.take(descriptor.size)
    const bytes = await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
    // Bounds levels and values, and so what indenting adds.
    parseStrictJson(bytes, `content ${descriptor.digest}`)
    yield* box(
      'Content',
      indentJson(new TextDecoder().decode(bytes), { indent: 3, forHtml: false }).split('\n'),
    )

    function* box(title: string, lines: readonly string[]): Generator<string, void, undefined> {
      yield `${before}┌────────${title}────────`
      for (const line of lines) yield `${before}│${line}`
      yield `${before}└───────────────────────`
    }
  }
}

function lineOf({ mediaType, digest, size }: Descriptor, { first }: Place): string {
  return `${first}${mediaType} @${digest} (${size} bytes)`
}

const quoted = (text: string) => JSON.stringify(text)

function sorted(labels: Image['labels']): [string, string][] {
  return Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
}
