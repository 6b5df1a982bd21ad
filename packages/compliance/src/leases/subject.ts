import type { LeaseStore } from '@nsbox/core/leases'

/** Makes a store that holds nothing, and takes it away again when it is disposed of. */
export type CreateLeaseStore = () => Promise<{ readonly store: LeaseStore } & AsyncDisposable>
