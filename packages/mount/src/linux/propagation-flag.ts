import { MS } from '@nsbox/sys'
import type { PropagationKind } from '../mount-options.ts'

/** The flag that stands for a kind of propagation in mount(2) and mount_setattr(2). */
export function propagationFlag(kind: PropagationKind): number {
  return { shared: MS.SHARED, slave: MS.SLAVE, private: MS.PRIVATE, unbindable: MS.UNBINDABLE }[kind]
}
