import type { Platform } from '@nsbox/api/gen/types/platform_pb'
import { introspection } from '../connection/calls.ts'

/** The platform that the server runs images of; undefined if no plugin tells of one. */
export async function serverPlatform(signal: AbortSignal): Promise<Platform | undefined> {
  const { plugins } = await introspection.plugins({}, { signal })
  return plugins.find(
    ({ type, platforms }) => type.startsWith('io.containerd.snapshotter') && platforms.length > 0,
  )?.platforms[0]
}
