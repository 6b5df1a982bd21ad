import { mapConcurrently, Semaphore } from '@nsbox/concurrency'
import type { AbortOptions, ContentStore } from '@nsbox/core/content'
import type { Remote, TransferProgress } from '@nsbox/core/transfer'
import { isNotFound, NsboxError, undefinedIf } from '@nsbox/errors'
import {
  childGcLabels,
  type Descriptor,
  distributionSourceLabel,
  ingestRef,
  isIndex,
  isManifest,
  maxDocumentSize,
  type Platform,
  parseReference,
} from '@nsbox/oci'
import { readChildren } from '../documents/children.ts'
import { type ChosenChild, chooseChildren, type ImageChoice } from '../documents/choose-children.ts'
import { checkGraph, documentsBudget } from '../documents/walk.ts'
import type { Arrivals } from '../flights/arrival.ts'
import { Download, GivesWay } from '../flights/download.ts'
import { DownloadTurn } from '../flights/download-turn.ts'
import type { Flights } from '../flights/flights.ts'
import { largestFirst } from '../flights/largest-first.ts'
import { Patience } from '../flights/patience.ts'
import { WaitForDownload } from '../flights/wait-for-download.ts'
import type { ProgressTracker } from '../progress/progress-tracker.ts'
import { fetchBlob } from './fetch-blob.ts'

/** Most blobs that are synced at once: they share the wait, and each is an open file. */
const maxStoring = 8

/**
 * Milliseconds that a fetch waits in all for other downloads, even fast ones, before it tries whether its own is
 * faster.
 */
const patienceWithDownloads = 4_000

/** How to fetch an image's content. */
export interface FetchTreeOptions extends ImageChoice, AbortOptions {
  readonly remote: Remote
  readonly content: ContentStore
  /** Platforms to prefer, where there is a limit. */
  readonly first?: readonly Platform[] | undefined
  readonly concurrency: number
  readonly flights: Flights
  readonly progress: ProgressTracker
  /** Whether the layers of the chosen platforms are fetched; they are by default. */
  readonly layers?: boolean | undefined
  /** Gets the progress of each blob. */
  readonly arrivals?: Arrivals | undefined
  /** Whether layers are fetched in order, the lowest first; otherwise the largest comes first. */
  readonly inOrder: boolean
}

/** The result of a fetch. */
export interface FetchSummary {
  /** Objects of the image that exist now. */
  readonly objects: number
  /** Bytes that came from the remote. */
  readonly bytesReceived: number
}

/**
 * Fetches the content that a descriptor refers to, documents before their children, blobs in parallel. Every blob gets
 * the label of the repository it came from, every document the labels that keep its children from being collected
 * (docs/behaviour.md §4).
 */
export async function fetchTree(root: Descriptor, options: FetchTreeOptions): Promise<FetchSummary> {
  const { remote, content, progress } = options
  const { downloads } = options.flights
  const patience = new Patience(patienceWithDownloads)
  const slots = new Semaphore(options.concurrency)
  const storing = new Semaphore(maxStoring)
  const repository = parseReference(remote.reference)
  const seen = new Set<string>()
  const documents = documentsBudget(root)
  let bytesReceived = 0

  await visit(root, [remote.reference], { depth: 0, layers: options.layers ?? true, signal: options.signal })
  return { objects: seen.size, bytesReceived }

  async function visit(
    descriptor: Descriptor,
    parents: readonly string[],
    { depth, layers, signal }: { depth: number; layers: boolean; signal: AbortSignal | undefined },
  ): Promise<void> {
    if (seen.has(descriptor.digest)) return
    seen.add(descriptor.digest)
    checkGraph(root.digest, depth, seen.size)
    const name = ingestRef(descriptor)
    await fetchOne(descriptor, name, parents, signal)
    const below = await readChildren(content, descriptor, { documents, signal })
    if (below.length === 0) return
    await content.update(descriptor.digest, { merge: childGcLabels(below) }, { signal })
    const wanted = choose(descriptor, below, layers)
    await mapConcurrently(
      wanted,
      (child, either) =>
        visit(child.descriptor, [name], { depth: depth + 1, layers: child.layers, signal: either }),
      { signal },
    )
  }

  /** The children to fetch, in order. */
  function choose(parent: Descriptor, below: readonly Descriptor[], layers: boolean): readonly ChosenChild[] {
    const chosen = chooseChildren(parent, below, { ...options, layers })
    if (isIndex(parent.mediaType) || options.inOrder) return chosen
    return [...chosen.slice(0, 1), ...largestFirst(chosen.slice(1), ({ descriptor }) => descriptor.size)]
  }

  async function fetchOne(
    descriptor: Descriptor,
    name: string,
    parents: readonly string[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const document = isIndex(descriptor.mediaType) || isManifest(descriptor.mediaType)
    if (document && descriptor.size > maxDocumentSize) {
      throw new NsboxError(
        'resource_exhausted',
        `manifest ${descriptor.digest}: ${descriptor.size} bytes, at most ${maxDocumentSize} are accepted`,
      )
    }
    const at = (event: string, offset: number): TransferProgress => {
      return { event, name, parents, progress: offset, total: descriptor.size, descriptor }
    }
    progress.state(at('waiting', 0))
    const wait = new WaitForDownload(descriptor, downloads, patience)
    const arrival = options.arrivals?.of(descriptor.digest)
    for (;;) {
      using turn = await begin(descriptor, wait, signal)
      const { download } = turn
      const known = await undefinedIf(isNotFound, content.info(descriptor.digest, { signal }))
      const source = distributionSourceLabel(repository, known?.labels ?? {})
      try {
        const received = await fetchBlob(descriptor, {
          remote,
          content,
          ref: name,
          labels: { [source.key]: source.value },
          patience,
          stopped: download.stopped,
          onBytes: (offset) => {
            download.advance(offset)
            wait.compare(download)
            progress.move(at('downloading', offset))
          },
          onReceived: () => turn.received({ signal }),
          arrival,
          signal,
        })
        for (const other of downloads.of(descriptor.digest))
          if (other !== download && other.size === download.size) other.provedElsewhere()
        bytesReceived += received ?? 0
        progress.state(at(received ? 'complete' : 'already exists', descriptor.size))
        arrival?.finish()
        return
      } catch (error) {
        if (!(error instanceof GivesWay)) throw error
        bytesReceived += download.received
        arrival?.void()
      }
    }
  }

  /** Waits for other downloads of the blob, while that is worthwhile, and for a slot, and registers this one. */
  async function begin(
    descriptor: Descriptor,
    wait: WaitForDownload,
    signal: AbortSignal | undefined,
  ): Promise<DownloadTurn> {
    const { digest, size } = descriptor
    const isNeeded =
      !wait.isWorthIt || (await undefinedIf(isNotFound, content.info(digest, { signal }))) === undefined
    for (;;) {
      if (isNeeded) await wait.over({ signal })
      const slot = await slots.acquire({ signal })
      if (!isNeeded || !wait.isWorthIt)
        return new DownloadTurn(new Download(size), { digest, downloads, slot, storing })
      slot[Symbol.dispose]()
    }
  }
}
