import { mkdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'
import { KeyedMutex } from '@nsbox/concurrency'
import type { AbortOptions } from '@nsbox/core/content'
import { changeLabels, type Labels } from '@nsbox/core/labels'
import type { Mount } from '@nsbox/core/snapshots'
import type { PathUse, PathUses } from '@nsbox/core/tasks'
import { NsboxError, quoted, shownName } from '@nsbox/errors'
import { type Adaptor, labelField, parseListFilters } from '@nsbox/filters'
import { activateMounts, deactivateMounts, mountsToMake, parseMountType } from '@nsbox/mount/activation'
import { validateLabels } from '@nsbox/namespaces'
import { DisposableStack } from '@whatwg-node/disposablestack'
import type { Logger } from 'pino'
import {
  type ActivationRecord,
  activationDirectories,
  directoryName,
  readRecord,
  removeRecord,
  writeRecord,
} from './activation-record.ts'

/** Options of a mount manager. */
export interface MountManagerOptions {
  /** Directory of mounts and their records; need not exist. */
  readonly directory: string
  /** Whether the directory, and the mounts, end with the server. */
  readonly temporary: boolean
  /** Tracks the paths that mounts use. */
  readonly uses: PathUses
  readonly log: Logger
}

/** How to activate mounts. */
export interface ActivateMountsOptions extends AbortOptions {
  readonly labels?: Labels | undefined
  /** Make all of the mounts, and return a bind mount of the last; not by default. */
  readonly temporary?: boolean | undefined
}

/** The mounts for a task's root filesystem. */
export interface TaskRootfs {
  readonly mounts: readonly Mount[]
  /** Whether they were activated, so that they must be ended with the task. */
  readonly isActivated: boolean
}

/** The longest name of an activation, in characters. */
const maxName = 4096

/** The name of the activation of a task's root filesystem. */
const taskName = (id: string) => `task-rootfs/${id}`

interface Entry {
  readonly record: ActivationRecord
  readonly use: PathUse | undefined
}

/**
 * Makes mounts under names for other mounts to use, and keeps them until they are deactivated, also over restarts of
 * the server (docs/behaviour.md §19). They end with the state directory at the latest.
 */
export class MountManager implements AsyncDisposable {
  readonly #options: MountManagerOptions
  /** One change of a name at a time. */
  readonly #turns = new KeyedMutex()
  /** By the path of their directory. */
  readonly #entries = new Map<string, Entry>()

  private constructor(options: MountManagerOptions) {
    this.#options = options
  }

  /** Takes over the mounts of an earlier server, and ends those that it had not completed. */
  static async open(options: MountManagerOptions): Promise<MountManager> {
    const manager = new MountManager(options)
    for (const directory of activationDirectories(options.directory)) {
      const record = readRecord(directory)
      if (record === undefined) await manager.#remove(directory)
      else
        manager.#entries.set(directory, {
          record,
          use: record.use && options.uses.resume(record.use),
        })
    }
    return manager
  }

  /**
   * Activates mounts under a name.
   *
   * @throws `unimplemented` for mounts that can be used directly, and for unknown transformations; `already_exists`;
   * `invalid_argument` for an invalid name or labels; as `activateMounts` and `PathUses.use`
   */
  async activate(
    namespace: string,
    name: string,
    mounts: readonly Mount[],
    options: ActivateMountsOptions = {},
  ): Promise<ActivationRecord> {
    const { labels: given = {}, temporary = false } = options
    if (name === '' || name.length > maxName)
      throw new NsboxError('invalid_argument', `name of mounts with ${name.length} characters`)
    const labels = changeLabels({}, { replace: given })
    validateLabels(labels, 'mounts.Labels')
    if (mounts.length === 0 || mountsToMake(mounts, temporary) === undefined)
      throw new NsboxError('unimplemented', 'activating mounts that can be used as they are')
    return await this.#make({ namespace, name, labels }, mounts, options)
  }

  /**
   * The mounts for a task's root filesystem: the given ones, or the result of activating them, which `endTask` ends.
   *
   * @throws `already_exists` if a task of this id has an activation already
   */
  async forTask(
    namespace: string,
    task: string,
    mounts: readonly Mount[],
    options: AbortOptions,
  ): Promise<TaskRootfs> {
    if (mountsToMake(mounts) === undefined) return { mounts, isActivated: false }
    const named = { namespace, name: taskName(task), labels: {}, task }
    const { active, system } = await this.#make(named, mounts, options)
    if (system.length > 0) return { mounts: system, isActivated: true }
    const source = active.at(-1)?.mountPoint ?? ''
    return { mounts: [{ type: 'bind', source, options: ['rbind'] }], isActivated: true }
  }

  /** Ends the activation of a task's root filesystem, if it has one. */
  async endTask(namespace: string, task: string): Promise<void> {
    const directory = this.#directory(namespace, taskName(task))
    await this.#turns.run(directory, async () => {
      // Mounts in use are detached too, like the root filesystem.
      if (this.#entries.has(directory)) await this.#end(directory, { lazy: true })
    })
  }

  /** Ends the activations of tasks that are gone. What fails is left to the next server. */
  async endOrphans(isThere: (namespace: string, task: string) => Promise<boolean>): Promise<void> {
    for (const { record } of [...this.#entries.values()]) {
      const { namespace, task } = record
      if (task === undefined || (await isThere(namespace, task))) continue
      await this.endTask(namespace, task).catch((err: unknown) => {
        this.#options.log.warn({ err, namespace, task }, 'ending the mounts of a task that is gone')
      })
    }
  }

  /** @throws `not_found`; `failed_precondition` while one of the mounts is in use, which then stays */
  async deactivate(namespace: string, name: string, { signal }: AbortOptions = {}): Promise<void> {
    const directory = this.#directory(namespace, name)
    await this.#turns.run(
      directory,
      async () => {
        this.#entry(directory, name)
        await this.#end(directory)
      },
      { signal },
    )
  }

  /** @throws `not_found` */
  info(namespace: string, name: string): ActivationRecord {
    return this.#entry(this.#directory(namespace, name), name).record
  }

  /**
   * Changes labels: the paths `labels` and `labels.<key>`; all of them without paths.
   * @throws `not_found`; `invalid_argument` for another path, or invalid labels
   */
  async update(
    namespace: string,
    { name, labels }: { readonly name: string; readonly labels: Labels },
    paths: readonly string[],
    { signal }: AbortOptions = {},
  ): Promise<ActivationRecord> {
    const directory = this.#directory(namespace, name)
    return await this.#turns.run(
      directory,
      async () => {
        const { record, use } = this.#entry(directory, name)
        const changed = (paths.length === 0 ? ['labels'] : paths).reduce(
          (result, path) => labelsAfter(result, labels, path),
          record.labels,
        )
        validateLabels(changed, 'mounts.Labels')
        const updated = { ...record, labels: changed }
        writeRecord(directory, updated)
        this.#entries.set(directory, { record: updated, use })
        return updated
      },
      { signal },
    )
  }

  /**
   * The active mounts of a namespace that match any of the filters (fields `name` and `labels.*`), ordered by name; all
   * of them if there is no filter.
   * @throws `invalid_argument` for a filter that does not parse
   */
  list(namespace: string, filters: readonly string[]): ActivationRecord[] {
    const filter = parseListFilters(filters)
    return [...this.#entries.values()]
      .map(({ record }) => record)
      .filter((record) => record.namespace === namespace && filter.match(adaptor(record)))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { temporary, log } = this.#options
    for (const [directory, { use }] of [...this.#entries]) {
      if (!temporary) use?.[Symbol.dispose]()
      else
        await this.#turns
          .run(directory, () => this.#end(directory))
          .catch((err: unknown) => log.warn({ err, directory }, 'ending mounts'))
    }
  }

  async #make(
    named: Pick<ActivationRecord, 'namespace' | 'name' | 'labels' | 'task'>,
    mounts: readonly Mount[],
    { temporary, signal }: ActivateMountsOptions,
  ): Promise<ActivationRecord> {
    const directory = this.#directory(named.namespace, named.name)
    return await this.#turns.run(
      directory,
      async () => {
        if (this.#entries.has(directory))
          throw new NsboxError('already_exists', `mounts ${shownName(named.name)}`)
        // Unresolved templates refer to mounts of the same list.
        const given = mounts.map((mount) => ({ ...mount, type: parseMountType(mount.type).type }))
        using undo = new DisposableStack()
        const paths = { mounts: given, changeable: true }
        const use = undo.use(await this.#options.uses.use(named.namespace, paths, { signal }))
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        try {
          const { active, system } = await activateMounts(mounts, directory, { temporary, signal })
          const kept = active.map((each) => ({ ...each, mountedAt: each.mountedAt.epochMicroseconds }))
          const record = { ...named, active: kept, system, use: use.record }
          writeRecord(directory, record)
          this.#entries.set(directory, { record, use })
          undo.move()
          return record
        } catch (error) {
          await this.#remove(directory)
          throw error
        }
      },
      { signal },
    )
  }

  /** Ends the mounts. The record stays while one of them does. */
  async #end(directory: string, options: { readonly lazy?: boolean } = {}): Promise<void> {
    const use = this.#entries.get(directory)?.use
    await this.#remove(directory, options)
    this.#entries.delete(directory)
    use?.[Symbol.dispose]()
  }

  async #remove(directory: string, options: { readonly lazy?: boolean } = {}): Promise<void> {
    await deactivateMounts(directory, options)
    removeRecord(directory)
    rmdirSync(directory)
  }

  #directory(namespace: string, name: string): string {
    return join(this.#options.directory, directoryName(namespace, name))
  }

  #entry(directory: string, name: string): Entry {
    const entry = this.#entries.get(directory)
    if (entry === undefined) throw new NsboxError('not_found', `mounts ${shownName(name)}`)
    return entry
  }
}

function labelsAfter(labels: Labels, given: Labels, path: string): Labels {
  if (path === 'labels') return changeLabels({}, { replace: given })
  if (!path.startsWith('labels.'))
    throw new NsboxError('invalid_argument', `cannot update ${quoted(path)} field of mounts`)
  const key = path.slice('labels.'.length)
  const value = Object.hasOwn(given, key) ? (given[key] as string) : ''
  return changeLabels(labels, { merge: { [key]: value } })
}

function adaptor({ name, labels }: ActivationRecord): Adaptor {
  return {
    field([first, ...rest]) {
      if (first === 'name') return name
      return first === 'labels' ? labelField(labels, rest) : undefined
    },
  }
}
