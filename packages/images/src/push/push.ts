import { mapConcurrently, Semaphore } from '@nsbox/concurrency'
import { type AbortOptions, type ContentReader, readBlob } from '@nsbox/core/content'
import type { ProgressListener, Remote } from '@nsbox/core/transfer'
import {
  type Descriptor,
  type Digest,
  distributionSources,
  formatReference,
  ingestRef,
  isIndex,
  isManifest,
  maxDocumentSize,
  type Platform,
  parseReference,
} from '@nsbox/oci'
import { readChildren } from '../documents/children.ts'
import { checkGraph } from '../documents/walk.ts'
import { ProgressTracker } from '../progress/progress-tracker.ts'
import { registryName } from '../progress/registry-name.ts'
import { chooseTarget } from './chosen-target.ts'

/** How to push. */
export interface PushOptions extends AbortOptions {
  /** Makes remotes for references; `Registry` of `@nsbox/registry` is one. */
  readonly registry: { remote(reference: string): Remote }
  /** Where to push to, with a tag, a digest or both. */
  readonly reference: string
  readonly content: ContentReader
  /** Name of the image for the progress; the reference by default. */
  readonly name?: string | undefined
  /**
   * Instead of a whole index, push the manifest of the only platform, or an index of those of several; all of it if
   * absent or empty.
   */
  readonly platforms?: readonly Platform[] | undefined
  /** Blobs to upload at once; 3 by default. */
  readonly concurrency?: number | undefined
  readonly onProgress?: ProgressListener | undefined
}

/**
 * Pushes an image: blobs in parallel, each document after everything it names, the target last and under the
 * reference's tag. Blobs that another repository of the same registry holds are mounted from there.
 *
 * @returns the descriptor that the tag now points to
 * @throws `not_found` naming the blob if the image is not complete, before anything refers to it; the errors of the
 * remote
 */
export async function pushImage(pushed: Descriptor, options: PushOptions): Promise<Descriptor> {
  const { registry, reference, content, name: image = reference, signal } = options
  using progress = new ProgressTracker(options.onProgress)
  const { descriptor: target, made } = await chooseTarget(pushed, options)
  const { host, repository, tag } = parseReference(reference)
  // Bound to the digest as well, so that of all the documents only the target moves the tag.
  const remote = registry.remote(formatReference({ host, repository, tag, digest: target.digest }))
  const slots = new Semaphore(options.concurrency ?? 3)
  const whole = (event: string) => {
    progress.say(event, { name: image, descriptor: target })
  }
  progress.say(`Pushing to ${registryName(reference)}`)
  whole('pushing content')
  const visits = new Map<Digest, Promise<void>>()
  await visit(target, [image], 0, signal)
  whole('pushed content')
  progress.say(`Completed push to ${registryName(reference)}`)
  return target

  /** Pushes what is not under way already: images of an index may have layers in common. */
  function visit(
    descriptor: Descriptor,
    parents: readonly string[],
    depth: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const known = visits.get(descriptor.digest) ?? pushTree(descriptor, parents, depth, signal)
    visits.set(descriptor.digest, known)
    return known
  }

  async function pushTree(
    descriptor: Descriptor,
    parents: readonly string[],
    depth: number,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    checkGraph(target.digest, depth, visits.size)
    const name = ingestRef(descriptor)
    const isMade = made !== undefined && descriptor === target
    const below = isMade ? made.manifests : await readChildren(content, descriptor, { signal })
    await mapConcurrently(below, (child, either) => visit(child, [name], depth + 1, either), { signal })
    using _slot = await slots.acquire({ signal })
    const labels = isMade ? {} : (await content.info(descriptor.digest, { signal })).labels
    const at = (event: string, offset: number) => {
      return { event, name, parents, progress: offset, total: descriptor.size, descriptor }
    }
    progress.state(at('waiting', 0))
    const outcome = await remote.push(
      descriptor,
      () => bytes(descriptor, (n) => progress.move(at('uploading', n)), signal),
      {
        mountFrom: distributionSources(host, labels),
        signal,
      },
    )
    progress.state(at(outcome === 'exists' ? 'already exists' : 'complete', descriptor.size))
  }

  async function* bytes(
    descriptor: Descriptor,
    onBytes: (offset: number) => void,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    if (made !== undefined && descriptor === target) {
      yield made.bytes
      return
    }
    if (isIndex(descriptor.mediaType) || isManifest(descriptor.mediaType)) {
      yield await readBlob(content, descriptor, { limit: maxDocumentSize, signal })
      return
    }
    let offset = 0
    for await (const chunk of content.read(descriptor.digest, { signal })) {
      offset += chunk.byteLength
      onBytes(offset)
      yield chunk
    }
  }
}
