import { yieldBetween } from '@nsbox/concurrency'
import { changeLabels, type LabelChange } from '@nsbox/core/labels'
import { checkName } from '@nsbox/core/names'
import type {
  AbortOptions,
  CommitOptions,
  Mount,
  PrepareOptions,
  SnapshotInfo,
  Snapshotter,
  SnapshotUsage,
} from '@nsbox/core/snapshots'
import { NsboxError, withErrorContext } from '@nsbox/errors'
import { parseListFilters } from '@nsbox/filters'
import { validateLabels } from '@nsbox/namespaces'
import type { Database } from '@nsbox/sqlite'
import type { Clock } from '@nsbox/time'
import { treeUsage } from '@nsbox/trees'
import { type ComingSnapshot, ComingSnapshots } from './coming-snapshots.ts'
import { Leftovers } from './leftovers.ts'
import type { SnapshotDirectories } from './snapshot-directories.ts'
import { snapshotFields } from './snapshot-fields.ts'
import type { SnapshotForm, SnapshotPlace } from './snapshot-form.ts'
import { checkLabels } from './snapshot-labels.ts'
import * as table from './snapshot-table.ts'
import type { TrustedSync } from './trusted-sync.ts'
import { Undertakings } from './undertakings.ts'

/** The parts of a snapshotter. */
export interface LocalSnapshotterParts {
  readonly db: Database
  readonly directories: SnapshotDirectories
  readonly form: SnapshotForm
  readonly sync: TrustedSync
  /** Closes the database and releases the other parts. */
  readonly close: () => Promise<void>
  readonly clock: Clock
  readonly onLeftover: (error: unknown) => void
}

/** How many rows a list reads at once. */
const page = 200

/** Adds parents to the files of a snapshot that was made without any. */
export type Rebase = (path: string, parents: readonly string[]) => Promise<void>

/** A snapshotter in a directory of its own. Disposing of it leaves all snapshots as they are. */
export class LocalSnapshotter implements Snapshotter, AsyncDisposable {
  readonly #parts: LocalSnapshotterParts
  readonly #db: Database
  readonly #coming = new ComingSnapshots()
  #closing: Promise<void> | undefined

  readonly #undertakings = new Undertakings()
  readonly #leftovers: Leftovers

  /** @internal use `openOverlaySnapshotter` or `openNativeSnapshotter` */
  constructor(parts: LocalSnapshotterParts) {
    this.#parts = parts
    this.#db = parts.db
    const { directories, onLeftover } = parts
    // Not aborted with the call, but by closing the snapshotter: the row is gone, so the files must be removed too.
    const discard = (id: number) =>
      this.#undertakings.run(undefined, (signal) => directories.discard(id, { signal }))
    this.#leftovers = new Leftovers({ discard, onLeftover })
  }

  async stat(name: string, { signal }: AbortOptions = {}): Promise<SnapshotInfo> {
    signal?.throwIfAborted()
    return await this.#answer(table.infoOf(this.#get(name)))
  }

  async usage(name: string, options: AbortOptions = {}): Promise<SnapshotUsage> {
    options.signal?.throwIfAborted()
    const { id, kind, size, inodes } = await this.#answer(this.#get(name))
    if (kind === 'view') return { size: 0, inodes: 0 }
    if (size !== null && inodes !== null) return { size, inodes }
    const { directories, form } = this.#parts
    const usage = await withErrorContext(`usage of snapshot ${name}`, () =>
      treeUsage(form.files(directories.path(id)), options),
    )
    // Measured on request, since a commit would have to wait for it.
    if (kind === 'committed') this.#db.transaction((tx) => table.setUsage(tx, id, usage))
    return usage
  }

  async *list(filters: readonly string[] = [], { signal }: AbortOptions = {}): AsyncGenerator<SnapshotInfo> {
    signal?.throwIfAborted()
    const filter = parseListFilters(filters)
    for (let after: string | undefined = ''; after !== undefined; ) {
      this.#checkOpen()
      const rows: table.SnapshotRow[] = await this.#answer(table.snapshotsAfter(this.#db, after, page))
      after = rows.length < page ? undefined : rows.at(-1)?.name
      for await (const row of yieldBetween(rows, { signal })) {
        const info = table.infoOf(row)
        signal?.throwIfAborted()
        if (filter.match(snapshotFields(info))) yield info
      }
    }
  }

  async mounts(key: string, { signal }: AbortOptions = {}): Promise<Mount[]> {
    signal?.throwIfAborted()
    const row = this.#get(key)
    if (row.kind === 'committed')
      throw new NsboxError('failed_precondition', `requested snapshot ${key} not active or view`)
    const { directories, form } = this.#parts
    const place = { path: directories.path(row.id), kind: row.kind, parents: this.#paths(row.parent) }
    return await this.#answer(form.mounts(place))
  }

  prepare(key: string, parent: string | undefined, options: PrepareOptions = {}): Promise<Mount[]> {
    return this.#undertakings.run(options.signal, (signal) =>
      this.#make('active', key, parent, { ...options, signal }),
    )
  }

  view(key: string, parent: string | undefined, options: PrepareOptions = {}): Promise<Mount[]> {
    return this.#undertakings.run(options.signal, (signal) =>
      this.#make('view', key, parent, { ...options, signal }),
    )
  }

  async #make(
    kind: SnapshotPlace['kind'],
    key: string,
    parentName: string | undefined,
    { labels, signal }: PrepareOptions,
  ): Promise<Mount[]> {
    checkName('snapshot key', key)
    const checked = checkLabels(labels)
    this.#checkFree(key, 'snapshot')
    const parent = parentName ? table.getParent(this.#db, parentName).id : null
    const { directories, form, sync } = this.#parts
    const parents = this.#paths(parent)
    const id = await withErrorContext(`making snapshot ${key}`, () =>
      directories.make(
        async (path, made) => {
          if ((await form.create({ path, kind, parents }, { signal })) === 'filled') await sync.run(made, key)
        },
        (made) => {
          signal?.throwIfAborted()
          // Looked up again, since other calls ran meanwhile.
          this.#db.transaction((tx) => {
            this.#checkFree(key, 'snapshot')
            if (parent !== null && !table.snapshotExists(tx, parent))
              throw new NsboxError('not_found', `parent snapshot ${parentName} does not exist`)
            table.insertSnapshot(tx, {
              id: made,
              name: key,
              kind,
              parent,
              labels: checked,
              now: this.#parts.clock.stamp(),
            })
          })
        },
      ),
    )
    return await this.#answer(form.mounts({ path: directories.path(id), kind, parents }))
  }

  commit(name: string, key: string, options: CommitOptions = {}): Promise<SnapshotInfo> {
    return this.commitWith(name, key, options)
  }

  /** @param rebase undefined if the parent of a snapshot cannot be changed */
  protected commitWith(
    name: string,
    key: string,
    options: CommitOptions,
    rebase?: Rebase,
  ): Promise<SnapshotInfo> {
    return this.#undertakings.run(options.signal, (signal) =>
      this.#commit(name, key, { ...options, signal }, rebase),
    )
  }

  async #commit(name: string, key: string, options: CommitOptions, rebase?: Rebase): Promise<SnapshotInfo> {
    const { labels, parent: parentName, signal } = options
    checkName('snapshot key', name)
    const checked = checkLabels(labels)
    const { id, parent: ownParent, parentName: ownParentName } = this.#active(key)
    const { directories, sync } = this.#parts
    const below = parentName ? this.#parentOf(parentName) : undefined
    const parent = below === undefined ? ownParent : below.id
    if (ownParent !== null && parent !== ownParent)
      throw new NsboxError('failed_precondition', `snapshot ${key} has parent ${ownParentName} already`)
    if (parent !== ownParent && rebase === undefined)
      throw new NsboxError('unimplemented', `snapshot ${key} cannot be given a parent at commit`)
    this.#checkFree(name, 'committed snapshot')
    this.#checkNotCommitting(id, key)
    const paths = below === undefined ? this.#paths(parent) : below.paths
    let info: SnapshotInfo
    {
      using coming = this.#coming.begin(name, { id, paths: [directories.path(id), ...paths] })
      await withErrorContext(`committing snapshot ${key}`, async () => {
        await below?.filled
        await rebase?.(directories.path(id), paths)
        coming.fill()
        signal?.throwIfAborted()
        // Snapshots that are committed at the same time share a sync. Only the records have to be in order.
        await sync.run(id, key)
        await below?.ended
        signal?.throwIfAborted()
      })
      info = this.#db.transaction((tx) => {
        this.#checkFree(name, 'committed snapshot')
        if (parent !== null && !table.isCommitted(tx, parent))
          throw new NsboxError('not_found', `parent snapshot ${parentName || ownParentName} does not exist`)
        const now = this.#parts.clock.stamp()
        table.commitSnapshot(tx, { id, name, parent, labels: checked, now })
        return {
          ...{ name, kind: 'committed', parent: parentName || (ownParentName ?? undefined) },
          ...{ labels: checked, createdAt: now, updatedAt: now },
        }
      })
    }
    return await this.#answer(info)
  }

  async remove(name: string, { signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    const { id } = this.#get(name)
    const { directories } = this.#parts
    await withErrorContext(`removing snapshot ${name}`, () => directories.checkUnused(id))
    this.#checkNotCommitting(id, name)
    this.#db.transaction((tx) => {
      if (table.getSnapshot(tx, name).id !== id)
        throw new NsboxError('not_found', `snapshot ${name} does not exist`)
      table.deleteSnapshot(tx, id)
    })
    // The files are removed only after the removal of the row is durable.
    await this.#db.durable()
    await this.#leftovers.discard(id)
  }

  async update(name: string, change: LabelChange, { signal }: AbortOptions = {}): Promise<SnapshotInfo> {
    signal?.throwIfAborted()
    this.#checkOpen()
    const info = this.#db.transaction((tx) => {
      const row = table.getSnapshot(tx, name)
      const labels = changeLabels(table.labelsOf(row), change)
      validateLabels(labels, 'info.Labels')
      table.setLabels(tx, row.id, labels, this.#parts.clock.stamp(table.infoOf(row).updatedAt))
      return table.infoOf(table.getSnapshot(tx, name))
    })
    return await this.#answer(info)
  }

  async cleanup({ signal }: AbortOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    this.#checkOpen()
    const { directories } = this.#parts
    await withErrorContext('cleaning up snapshots', async () => {
      const orphans = await directories.orphans((id) => table.snapshotExists(this.#db, id))
      await this.#db.durable()
      await directories.discardAll(orphans, { signal })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    await this.#closing
  }

  async #close(): Promise<void> {
    this.#leftovers[Symbol.dispose]()
    await this.#undertakings.end(closed())
    await this.#parts.close()
  }

  /** Resolves once everything that the answer shows is durable. */
  async #answer<T>(answer: T): Promise<T> {
    await this.#db.durable()
    return answer
  }

  #get(name: string): table.SnapshotRow {
    this.#checkOpen()
    return table.getSnapshot(this.#db, name)
  }

  /** @returns the directory of an active snapshot's files */
  protected async activeDirectory(key: string, { signal }: AbortOptions = {}): Promise<string> {
    signal?.throwIfAborted()
    const { id } = this.#active(key)
    const { directories, form } = this.#parts
    return await this.#answer(form.files(directories.path(id)))
  }

  #active(key: string): table.SnapshotRow {
    const row = this.#get(key)
    if (row.kind !== 'active') throw new NsboxError('failed_precondition', `snapshot ${key} is not active`)
    return row
  }

  /**
   * The parent for a commit: a committed snapshot, or one that is being committed.
   * @throws `not_found`; `invalid_argument` if it is neither
   */
  #parentOf(name: string): Pick<ComingSnapshot, 'id' | 'paths'> & Partial<ComingSnapshot> {
    const coming = this.#coming.find(name)
    if (coming !== undefined) return coming
    const { id } = table.getParent(this.#db, name)
    return { id, paths: this.#paths(id) }
  }

  #paths(id: number | null): string[] {
    if (id === null) return []
    return table.chainOf(this.#db, id).map((link) => this.#parts.directories.path(link))
  }

  #checkFree(name: string, what: string): void {
    this.#checkOpen()
    if (table.findSnapshot(this.#db, name) !== undefined)
      throw new NsboxError('already_exists', `${what} ${name}`)
  }

  #checkNotCommitting(id: number, name: string): void {
    if (this.#coming.has(id)) throw new NsboxError('unavailable', `snapshot ${name} is being committed`)
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw closed()
  }
}

function closed(): NsboxError {
  return new NsboxError('unavailable', 'snapshotter is closed')
}
