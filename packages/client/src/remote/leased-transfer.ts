import type { AbortOptions } from '@nsbox/core/content'
import type { Transferrer } from '@nsbox/core/transfer'

/** What a view has for it. */
interface Lessor {
  createLease(
    options: AbortOptions,
  ): Promise<AsyncDisposable & { readonly client: { readonly transfer: Transferrer } }>
}

/**
 * Transfers of a view that has no lease, each within one of its own. Otherwise containerd's collector may take the
 * streams of a transfer before its call comes to them, and what it has made so far.
 *
 * @param view of the same namespace
 */
export function leasedTransfer(view: () => Lessor): Transferrer {
  return {
    async transfer(source, destination, options = {}) {
      await using lease = await view().createLease({ signal: options.signal })
      await lease.client.transfer.transfer(source, destination, options)
    },
  }
}
