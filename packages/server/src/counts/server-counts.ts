import type { Code } from '@connectrpc/connect'
import type { UnpackStage } from '@nsbox/images'
import type { Collection, CollectionResult } from '@nsbox/metadata'
import { BoundedNames } from './bounded-names.ts'
import { CallCounts } from './call-counts.ts'
import { publish } from './channels.ts'
import { codeName, codeOf } from './outcome-code.ts'
import { PlainHistogram } from './plain-histogram.ts'

/** Seconds of work on images. */
const workBounds = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600]

/** Seconds of collections. */
const collectionBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Seconds for which the event loop is held. */
const delayBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1]

/** How many registries have series of their own. */
const maxRegistries = 50

/** What a collection removes. */
export type CollectedKind = keyof Omit<CollectionResult, 'bytes' | 'pause'>

/** What is pulled, for whom. */
export interface PullFacts {
  /** Host of the registry. */
  readonly registry: string
  readonly namespace: string
  readonly reference: string
}

/** Pulls from one registry that have ended, by their status; undefined is success. */
type Ended = Map<Code | undefined, number>

/**
 * What a server has done since its start, in plain numbers that cost next to nothing to count. They are made into
 * metrics only when somebody asks.
 */
export class ServerCounts {
  readonly calls = new CallCounts()
  readonly pullSeconds = new PlainHistogram(workBounds)
  readonly pulls = new Map<string, Ended>()
  pullsInFlight = 0
  fetchedBytes = 0
  readonly unpackSeconds: Readonly<Record<UnpackStage, PlainHistogram>> = {
    prepare: new PlainHistogram(workBounds),
    apply: new PlainHistogram(workBounds),
    commit: new PlainHistogram(workBounds),
  }
  readonly collectionSeconds = new PlainHistogram(collectionBounds)
  failedCollections = 0
  /** Seconds for which collections have held the event loop. */
  collectionPause = 0
  collectedBytes = 0
  readonly collected: Record<CollectedKind, number> = {
    images: 0,
    content: 0,
    leases: 0,
    ingests: 0,
    snapshots: 0,
    blobs: 0,
    trees: 0,
  }
  readonly loopDelay = new PlainHistogram(delayBounds)
  readonly #registries = new BoundedNames(maxRegistries)

  /** Counts a pull while it is done, and tells of its end. */
  async pull<T>({ registry, namespace, reference }: PullFacts, work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    let code: Code | undefined
    this.pullsInFlight++
    try {
      return await work()
    } catch (error) {
      code = codeOf(error)
      throw error
    } finally {
      this.pullsInFlight--
      const milliseconds = performance.now() - started
      this.pullSeconds.observe(milliseconds / 1000)
      const name = this.#registries.of(registry)
      const ended: Ended = this.pulls.get(name) ?? new Map()
      ended.set(code, (ended.get(code) ?? 0) + 1)
      this.pulls.set(name, ended)
      publish('nsbox:pull', () => ({ namespace, reference, code: codeName(code), milliseconds }))
    }
  }

  readonly arrived = (bytes: number): void => {
    this.fetchedBytes += bytes
  }

  readonly unpacked = (stage: UnpackStage, milliseconds: number): void => {
    this.unpackSeconds[stage].observe(milliseconds / 1000)
    publish('nsbox:unpack', () => ({ stage, milliseconds }))
  }

  readonly hasCollected = (collection: Collection): void => {
    const { milliseconds, result } = collection
    publish('nsbox:collection', () => collection)
    this.collectionSeconds.observe(milliseconds / 1000)
    if (result === undefined) {
      this.failedCollections++
      return
    }
    this.collectionPause += result.pause / 1000
    this.collectedBytes += result.bytes
    for (const kind of Object.keys(this.collected) as CollectedKind[]) this.collected[kind] += result[kind]
  }
}
