import { Controller } from '@nsbox/api/gen/services/sandbox/v1/sandbox_pb'
import type { AbortOptions } from '@nsbox/core/content'
import type { Rpc } from '../connection/rpc.ts'

/** Runs sandboxes of the sandbox store, in one namespace of a server. */
export class SandboxController {
  readonly #rpc: Rpc

  constructor(rpc: Rpc) {
    this.#rpc = rpc
  }

  /**
   * Makes what a sandbox of the store is run by.
   * @throws `not_found` for the sandbox, `already_exists`, `unimplemented` for a runtime without sandboxes
   */
  async create(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Controller.method.create, { sandboxId: id }, options)
  }

  /** @throws `not_found` for one that was not created */
  async start(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Controller.method.start, { sandboxId: id }, options)
  }

  /** Ends it; what was created stays until `shutdown`. @throws `not_found` */
  async stop(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Controller.method.stop, { sandboxId: id }, options)
  }

  /** Removes what was created; the sandbox stays in the store. @throws `not_found` */
  async shutdown(id: string, options: AbortOptions = {}): Promise<void> {
    await this.#rpc.unary(Controller.method.shutdown, { sandboxId: id }, options)
  }
}
