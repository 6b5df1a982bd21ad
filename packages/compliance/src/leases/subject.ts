import type { LeaseStore } from '@nsbox/core/leases'

/** Makes an empty store; disposing of the subject removes it. */
export type CreateLeaseStore = () => Promise<{ readonly store: LeaseStore } & AsyncDisposable>
