import { join } from 'node:path'
import { openContentStore } from '@nsbox/content'
import type { DomainEvent } from '@nsbox/core/events'
import { openDatabase } from '@nsbox/sqlite'
import { tempDir } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { migrations } from '../database/schema.ts'
import { createMetadata, type Metadata, type MetadataOptions } from '../open-metadata.ts'

/** A store, and the disk that its database is on. */
export interface SlowDisk {
  readonly metadata: Metadata
  readonly events: DomainEvent['topic'][]
  /** From now on syncs do not complete. */
  hold(): void
  /** How many syncs have begun since. */
  begun(): number
  /** Completes all syncs. */
  release(): void
}

/** A store whose disk is as slow as the test wants. */
export async function withSlowDisk(
  body: (disk: SlowDisk) => Promise<void>,
  options: Pick<MetadataOptions, 'snapshotters' | 'answers' | 'isHeard'> = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-durability'))
  const content = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  let begun = 0
  let released = Promise.resolve()
  let release = () => {}
  const sync = async () => {
    begun++
    await released
  }
  const db = await openDatabase({ path: join(path, 'metadata.db'), migrations, sync })
  const events: DomainEvent['topic'][] = []
  const metadata = stack.use(
    createMetadata(db, {
      ...options,
      content,
      onEvent: (_, { topic }) => events.push(topic),
      collector: { startupDelay: 3_600_000, scheduleDelay: 3_600_000 },
    }),
  )
  stack.defer(() => release())
  await body({
    metadata,
    events,
    hold: () => {
      begun = 0
      released = new Promise((resolve) => {
        release = resolve
      })
    },
    begun: () => begun,
    release: () => release(),
  })
}

/** Watches whether an operation has settled. */
export function watch(operation: Promise<unknown>): { settled: boolean; end: Promise<unknown> } {
  const watched = { settled: false, end: Promise.resolve<unknown>(undefined) }
  watched.end = operation
    .catch((error: unknown) => error)
    .finally(() => {
      watched.settled = true
    })
  return watched
}
