import { chmod, chown, lstat, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from '@nsbox/core/snapshots'
import type { OpaqueValue } from '@nsbox/core/tasks'
import { fromSystemError, isErrno, NsboxError } from '@nsbox/errors'
import { validateIdentifier } from '@nsbox/namespaces'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { Bundle } from './bundle.ts'
import { parseBundleSpec } from './bundle-spec.ts'
import { mountRootfs } from './rootfs.ts'

/** What a bundle is made of. */
export interface BundleContents {
  /** The container's spec, whose bytes become `config.json`. */
  readonly spec: OpaqueValue
  /** What to mount at `rootfs`; nothing if the spec's root is elsewhere. */
  readonly rootfs: readonly Mount[]
  readonly signal?: AbortSignal | undefined
}

/**
 * The bundles of all containers, as `<directory>/<namespace>/<id>`. A bundle is entered by root only, and by the
 * container's own root where that is another user of the host, for which the directories above must let anybody
 * through (mode 0711).
 */
export class Bundles {
  readonly #directory: string

  /** @param directory an absolute path, which need not exist, on a file system that is empty after a start of the host */
  constructor(directory: string) {
    this.#directory = directory
  }

  /**
   * Makes a bundle, with its root file system mounted. After an error nothing of it is left.
   *
   * @throws already_exists; invalid_argument for a spec or mounts that cannot be; as `mountRootfs`
   */
  async create(namespace: string, id: string, { spec, rootfs, signal }: BundleContents): Promise<Bundle> {
    signal?.throwIfAborted()
    const { json, rootGid } = parseBundleSpec(spec)
    const bundle = this.#bundle(namespace, id)
    await using undo = new AsyncDisposableStack()
    try {
      await this.#makeDirectory(bundle)
      undo.defer(() => bundle.remove())
      await mkdir(bundle.rootfs, { mode: 0o711 })
      await writeFile(bundle.config, json, { flag: 'wx', mode: 0o600 })
      await mountRootfs(rootfs, bundle.rootfs, { signal })
      if (rootGid !== undefined && rootGid !== 0) {
        await chown(bundle.path, 0, rootGid)
        await chmod(bundle.path, 0o710)
      }
    } catch (error) {
      throw fromSystemError(error, `bundle of ${JSON.stringify(id)}`)
    }
    undo.move()
    return bundle
  }

  /** A bundle that was made before. @throws not_found */
  async open(namespace: string, id: string): Promise<Bundle> {
    const bundle = this.#bundle(namespace, id)
    try {
      if ((await lstat(bundle.path)).isDirectory()) return bundle
    } catch (error) {
      if (!isErrno(error, 'ENOENT')) throw fromSystemError(error, `bundle of ${JSON.stringify(id)}`)
    }
    throw new NsboxError('not_found', `bundle of ${JSON.stringify(id)}`)
  }

  /** All bundles, also those that were being made or removed when the daemon died. */
  async list(): Promise<Bundle[]> {
    const found: Bundle[] = []
    for (const namespace of await directoriesIn(this.#directory))
      for (const id of await directoriesIn(join(this.#directory, namespace)))
        found.push(new Bundle(namespace, id, join(this.#directory, namespace, id)))
    return found
  }

  #bundle(namespace: string, id: string): Bundle {
    validateIdentifier(namespace)
    validateIdentifier(id)
    return new Bundle(namespace, id, join(this.#directory, namespace, id))
  }

  async #makeDirectory({ namespace, id, path }: Bundle): Promise<void> {
    const made = await mkdir(this.#directory, { recursive: true, mode: 0o711 })
    if (made !== undefined) await chmod(this.#directory, 0o711)
    for (let tries = 0; ; tries++) {
      try {
        await passable(join(this.#directory, namespace))
        await mkdir(path, { mode: 0o700 })
        return
      } catch (error) {
        if (isErrno(error, 'EEXIST'))
          throw new NsboxError('already_exists', `bundle of ${JSON.stringify(id)}`)
        // The namespace's last container has just been removed, and its directory with it.
        if (!isErrno(error, 'ENOENT') || tries === maxTries) throw error
      }
    }
  }
}

const maxTries = 100

/** Makes a directory that anybody may pass through and only its owner may read, unless it is there. */
async function passable(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o711 })
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return
    throw error
  }
  // The process' umask may have taken bits away.
  await chmod(path, 0o711)
}

async function directoriesIn(path: string): Promise<string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return []
    throw fromSystemError(error, 'reading the directory of bundles')
  }
}
