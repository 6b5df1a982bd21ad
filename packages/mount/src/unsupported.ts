import { NsboxError } from '@nsbox/errors'
import type { MountPlatform } from './mount-platform.ts'

/** For platforms whose mounts nsbox cannot make: everything throws `unimplemented`. */
export function unsupported(name: string): MountPlatform {
  const missing = (what: string) => new NsboxError('unimplemented', `${what} on ${name}`)
  return {
    mount: async () => {
      throw missing('mount')
    },
    unmount: async () => {
      throw missing('unmount')
    },
    mountTable: () => {
      throw missing('the mount table')
    },
    mountIdOf: async () => {
      throw missing('the mount table')
    },
    whereIs: async () => {
      throw missing('the mount table')
    },
    // Nothing can be mounted.
    isUncovered: () => true,
  }
}
