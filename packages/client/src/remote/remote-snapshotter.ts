import { toSafeNumber } from '@nsbox/api'
import { Snapshots } from '@nsbox/api/gen/services/snapshots/v1/snapshots_pb'
import type { LabelChange } from '@nsbox/core/labels'
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
import { NsboxError } from '@nsbox/errors'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { maskedLabels, withoutEmpty } from '../messages/label-mask.ts'
import { receivedMount } from '../messages/mount-message.ts'
import { snapshotInfo } from '../messages/snapshot-message.ts'
import { Introspection } from './introspection.ts'

/** What is known of a snapshotter. */
export interface SnapshotterOptions {
  /** Whether it takes a parent at commit (`rebase`); the server is asked by default. */
  readonly rebase?: boolean | undefined
}

/** The snapshots of one namespace of a server, of one of its snapshotters. */
export class RemoteSnapshotter implements Snapshotter {
  readonly #rpc: Rpc
  readonly #snapshotter: string
  readonly #rebase: boolean | undefined

  constructor(rpc: Rpc, snapshotter: string, { rebase }: SnapshotterOptions) {
    this.#rpc = rpc
    this.#snapshotter = snapshotter
    this.#rebase = rebase
  }

  async stat(name: string, options: AbortOptions = {}): Promise<SnapshotInfo> {
    const { info } = await this.#rpc.unary(Snapshots.method.stat, this.#of(name), options)
    return snapshotInfo(received(info, 'the info of a snapshot'))
  }

  async usage(name: string, options: AbortOptions = {}): Promise<SnapshotUsage> {
    const { size, inodes } = await this.#rpc.unary(Snapshots.method.usage, this.#of(name), options)
    return { size: toSafeNumber(size, 'size'), inodes: toSafeNumber(inodes, 'inodes') }
  }

  async *list(filters: readonly string[] = [], options: AbortOptions = {}) {
    const request = { snapshotter: this.#snapshotter, filters: [...filters] }
    for await (const { info } of this.#rpc.serverStream(Snapshots.method.list, request, options)) {
      for (const snapshot of info) yield snapshotInfo(snapshot)
    }
  }

  async mounts(key: string, options: AbortOptions = {}): Promise<Mount[]> {
    const { mounts } = await this.#rpc.unary(Snapshots.method.mounts, this.#of(key), options)
    return mounts.map(receivedMount)
  }

  async prepare(key: string, parent: string | undefined, options: PrepareOptions = {}): Promise<Mount[]> {
    const { labels = {}, signal } = options
    const request = { ...this.#of(key), parent: parentName(parent), labels: withoutEmpty(labels) }
    const { mounts } = await this.#rpc.unary(Snapshots.method.prepare, request, { signal })
    return mounts.map(receivedMount)
  }

  async view(key: string, parent: string | undefined, options: PrepareOptions = {}): Promise<Mount[]> {
    const { labels = {}, signal } = options
    const request = { ...this.#of(key), parent: parentName(parent), labels: withoutEmpty(labels) }
    const { mounts } = await this.#rpc.unary(Snapshots.method.view, request, { signal })
    return mounts.map(receivedMount)
  }

  async commit(name: string, key: string, options: CommitOptions = {}): Promise<SnapshotInfo> {
    const { labels = {}, parent, signal } = options
    checkName('snapshot key', name)
    const request = {
      ...this.#of(key),
      name,
      labels: withoutEmpty(labels),
      parent: parent ? await this.#parentAtCommit(key, parentName(parent), signal) : '',
    }
    await this.#rpc.unary(Snapshots.method.commit, request, { signal })
    return await this.stat(name, { signal })
  }

  async remove(name: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Snapshots.method.remove, this.#of(name), options)
  }

  async update(name: string, change: LabelChange, options: AbortOptions = {}): Promise<SnapshotInfo> {
    const { labels, paths } = maskedLabels(change)
    if (paths.length === 0) return this.stat(name, options)
    const { snapshotter } = this.#of(name)
    const request = { snapshotter, info: { name, labels }, updateMask: { paths } }
    const { info } = await this.#rpc.unary(Snapshots.method.update, request, options)
    return snapshotInfo(received(info, 'the info of a snapshot'))
  }

  async cleanup(options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Snapshots.method.cleanup, { snapshotter: this.#snapshotter }, options)
  }

  #of(key: string): { snapshotter: string; key: string } {
    checkName('snapshot key', key)
    return { snapshotter: this.#snapshotter, key }
  }

  /**
   * The parent for a commit. A server that does not know the field ignores it and would commit without the parent; one
   * that knows it lists the capability `rebase` of the snapshotter.
   */
  async #parentAtCommit(key: string, parent: string, signal: AbortSignal | undefined): Promise<string> {
    if (this.#rebase ?? (await this.#takesParentAtCommit(signal))) return parent
    const { parent: actual } = await this.stat(key, { signal })
    if (actual === parent) return ''
    if (actual !== undefined) {
      throw new NsboxError('failed_precondition', `snapshot ${key} has parent ${actual}, not ${parent}`)
    }
    throw new NsboxError(
      'unimplemented',
      `snapshotter ${this.#snapshotter} of ${this.#rpc.session.address} takes no parent at commit`,
    )
  }

  async #takesParentAtCommit(signal: AbortSignal | undefined): Promise<boolean> {
    const filter = `type==io.containerd.snapshotter.v1,id==${JSON.stringify(this.#snapshotter)}`
    const plugins = await new Introspection(this.#rpc).plugins([filter], { signal })
    return plugins.some(({ capabilities }) => capabilities.includes('rebase'))
  }
}

/** The parent for a request; empty for none. */
function parentName(parent: string | undefined): string {
  if (!parent) return ''
  checkName('snapshot key', parent)
  return parent
}
