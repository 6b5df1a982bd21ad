import { Mounts } from '@nsbox/api/gen/services/mounts/v1/mounts_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Mount } from '@nsbox/core/snapshots'
import { received } from '../connection/received.ts'
import type { Rpc } from '../connection/rpc.ts'
import { mountMessage, receivedMount } from '../messages/mount-message.ts'

/** Mounts that a server makes, and keeps under a name (docs/behaviour.md §19). */
export class RemoteMounts {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  /**
   * Has the server make mounts, as far as others cannot be made without them.
   *
   * @param options.temporary have all of them made; not by default
   * @returns what is left to mount
   * @throws `already_exists`; `unimplemented` if nothing has to be made, or by a server that makes no mounts
   */
  async activate(
    name: string,
    mounts: readonly Mount[],
    { temporary = false, signal }: { readonly temporary?: boolean | undefined } & AbortOptions = {},
  ): Promise<Mount[]> {
    const request = { name, mounts: mounts.map(mountMessage), temporary }
    const { info } = await this.#rpc.unary(Mounts.method.activate, request, { signal })
    return received(info, 'the info of mounts').system.map(receivedMount)
  }

  /** Ends what was made. @throws `not_found`; `failed_precondition` while a mount is in use */
  async deactivate(name: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Mounts.method.deactivate, { name }, options)
  }
}
