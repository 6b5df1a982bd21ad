export type { Lease, LeaseResource, LeaseStore, NewLease } from './lease-store.ts'
