import { join } from 'node:path'
import { type LocalContentStore, openContentStore } from '@nsbox/content'
import type { DomainEvent } from '@nsbox/core/events'
import type { Labels } from '@nsbox/core/labels'
import type { Digest } from '@nsbox/oci'
import { tempDir } from '@nsbox/testing'
import { createClock } from '@nsbox/time'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect } from 'vitest'
import type { CollectorSchedule } from '../collector/collector.ts'
import { type Metadata, openMetadata } from '../open-metadata.ts'

/** A schedule that leaves all collections to the test. */
export const never = { startupDelay: 3_600_000, scheduleDelay: 3_600_000 }

/** The metadata of a server that collects on request, over blobs on disk. */
export class Subject {
  readonly metadata: Metadata
  readonly backend: LocalContentStore
  readonly events: [string, DomainEvent][]

  constructor(metadata: Metadata, backend: LocalContentStore, events: [string, DomainEvent][]) {
    this.metadata = metadata
    this.backend = backend
    this.events = events
  }

  get ns() {
    return this.metadata.namespace('ns')
  }

  /** Stores a blob with bytes `seed` and labels; nothing holds it. */
  async blob(seed: string, labels: Labels = {}, namespace = 'ns'): Promise<Digest> {
    await using writer = await this.metadata.namespace(namespace).content.writer({ ref: `blob-${seed}` })
    if (writer.status().offset === 0) await writer.write(Buffer.from(seed))
    return (await writer.commit({ labels })).digest
  }

  async image(name: string, digest: Digest, labels: Labels = {}): Promise<void> {
    const mediaType = 'application/vnd.oci.image.manifest.v1+json'
    await this.ns.images.create({ name, target: { mediaType, digest, size: 1 }, labels })
  }

  async blobs(namespace = 'ns'): Promise<Digest[]> {
    const digests: Digest[] = []
    for await (const info of this.metadata.namespace(namespace).content.list()) digests.push(info.digest)
    return digests
  }

  async files(): Promise<Digest[]> {
    const digests: Digest[] = []
    for await (const info of this.backend.list()) digests.push(info.digest)
    return digests
  }

  /** Collects, and expects that exactly these blobs are left. */
  async expectLeft(...digests: Digest[]): Promise<void> {
    await this.metadata.collect()
    expect(await this.blobs()).toEqual([...digests].sort())
    expect(await this.files()).toEqual([...digests].sort())
  }
}

/** Calls `body` with a subject of its own; `collector` is a schedule, without any collections by default. */
export async function withSubject(
  body: (subject: Subject, path: string) => Promise<void>,
  { collector = never, now }: { collector?: CollectorSchedule; now?: () => number } = {},
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const { path } = stack.use(await tempDir('nsbox-collector'))
  const backend = stack.use(await openContentStore({ root: join(path, 'content'), durability: 'relaxed' }))
  const events: [string, DomainEvent][] = []
  const metadata = stack.use(
    await openMetadata({
      path: join(path, 'metadata.db'),
      content: backend,
      durability: 'relaxed',
      collector,
      clock: now && createClock(now),
      onEvent: (namespace, event) => events.push([namespace, event]),
    }),
  )
  await body(new Subject(metadata, backend, events), path)
}
