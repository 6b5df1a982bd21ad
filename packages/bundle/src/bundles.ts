import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Mount } from '@nsbox/core/snapshots'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { makePassable } from '@nsbox/mount'
import { validateIdentifier } from '@nsbox/namespaces'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Bundle } from './bundle.ts'
import { readBundleSpec } from './bundle-spec.ts'
import { mountRootfs } from './rootfs.ts'
import { type TaskRecordName, taskRecords } from './task-records.ts'

/** The content of a bundle. */
export interface BundleContents {
  /** The container's spec, whose bytes become `config.json`. */
  readonly spec: OpaqueValue
  /** What to mount at `rootfs`; nothing if the spec's root is elsewhere. */
  readonly rootfs: readonly Mount[]
  readonly signal?: AbortSignal | undefined
}

/**
 * The bundles of all containers, as `<directory>/<namespace>/<id>`. Only root may enter a bundle, and the container's
 * own root where that is another user of the host: so the directories above need mode 0711.
 *
 * Their few small files are in memory, so they are written and removed on the calling thread: the thread pool takes ten
 * times as long.
 */
export class Bundles {
  readonly #directory: string
  readonly #others: readonly TaskRecordName[]

  /**
   * @param directory an absolute path, which need not exist, on a file system that is empty after a start of the host
   * @param record the file with the caller's record of a task, if other kinds of runtimes have bundles there as well
   */
  constructor(directory: string, record?: TaskRecordName) {
    this.#directory = directory
    const isOther = (name: TaskRecordName) => name !== record
    this.#others = record === undefined ? [] : Object.values(taskRecords).filter(isOther)
  }

  /**
   * Makes a bundle, with its root file system mounted. After an error nothing of it is left.
   *
   * @throws already_exists; invalid_argument for an invalid spec or mounts; as `mountRootfs`
   */
  async create(namespace: string, id: string, { spec, rootfs, signal }: BundleContents): Promise<Bundle> {
    signal?.throwIfAborted()
    const { json, rootGid } = await readBundleSpec(spec)
    const bundle = this.#bundle(namespace, id)
    await using undo = new AsyncDisposableStack()
    try {
      this.#makeDirectory(bundle)
      undo.defer(() => bundle.remove())
      mkdirSync(bundle.rootfs, { mode: 0o711 })
      writeFileSync(bundle.config, json, { flag: 'wx', mode: 0o600 })
      await mountRootfs(rootfs, bundle.rootfs, { signal })
      if (rootGid !== undefined && rootGid !== 0) {
        chownSync(bundle.path, 0, rootGid)
        chmodSync(bundle.path, 0o710)
      }
    } catch (error) {
      throw fromSystemError(error, `bundle of ${JSON.stringify(id)}`)
    }
    undo.move()
    return bundle
  }

  /** An existing bundle. @throws not_found */
  open(namespace: string, id: string): Bundle {
    const bundle = this.#bundle(namespace, id)
    try {
      if (lstatSync(bundle.path).isDirectory()) return bundle
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw fromSystemError(error, `bundle of ${JSON.stringify(id)}`)
    }
    throw new NsboxError('not_found', `bundle of ${JSON.stringify(id)}`)
  }

  /**
   * All bundles but those with another runtime's record, including those without any, which were being made or removed
   * when the daemon died.
   */
  list(): Bundle[] {
    const found: Bundle[] = []
    for (const namespace of directoriesIn(this.#directory))
      for (const id of directoriesIn(join(this.#directory, namespace))) {
        const path = join(this.#directory, namespace, id)
        if (this.#others.some((name) => existsSync(join(path, name)))) continue
        found.push(new Bundle(namespace, id, path))
      }
    return found
  }

  #bundle(namespace: string, id: string): Bundle {
    validateIdentifier(namespace)
    validateIdentifier(id)
    return new Bundle(namespace, id, join(this.#directory, namespace, id))
  }

  #makeDirectory({ namespace, id, path }: Bundle): void {
    makePassable(join(this.#directory, namespace))
    try {
      mkdirSync(path, { mode: 0o700 })
    } catch (error) {
      if (isErrno(error, 'EEXIST')) throw new NsboxError('already_exists', `bundle of ${JSON.stringify(id)}`)
      throw error
    }
  }
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw fromSystemError(error, 'reading the directory of bundles')
  }
}
