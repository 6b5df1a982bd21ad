import { posix } from 'node:path'
import { NsboxError, quoted } from '@nsbox/errors'
import type { ContainerDefaults } from '../image-config.ts'

/**
 * The directories that an image declares as volumes, each once, as clean absolute paths inside its root file system.
 * The path may lead through symbolic links of the image, so resolve it inside (docs/threat-model.md B13).
 *
 * @throws `invalid_argument` for a path that is relative, the root itself, or has `..` or control characters
 */
export function imageVolumes(config: ContainerDefaults): string[] {
  const paths = config.volumes.map((path) => {
    const clean = posix.normalize(path).replace(/\/$/, '')
    if (!path.startsWith('/') || clean === '' || path.split('/').includes('..') || /\p{Cc}/u.test(path))
      throw new NsboxError('invalid_argument', `image config: volume ${quoted(path)}`)
    return clean
  })
  return [...new Set(paths)]
}
