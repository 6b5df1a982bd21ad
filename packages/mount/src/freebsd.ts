import { unsupported } from './unsupported.ts'

/** FreeBSD has nullfs and unionfs, which take other options than the mounts that snapshotters describe. */
export const freebsd = unsupported('FreeBSD')
