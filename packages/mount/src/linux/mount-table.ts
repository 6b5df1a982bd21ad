import { open } from 'node:fs/promises'
import type { MountInfo } from '../mount-info.ts'
import { isAtOrBelow } from '../path-prefix.ts'
import { readMountTable } from '../read-mount-table.ts'

/** The mount table of this process. */
export function mountTable(signal?: AbortSignal | undefined): AsyncGenerator<MountInfo> {
  return readMountTable(chunks(signal))
}

// Not a stream, which reads ahead and closes its file some time after its reader has ended.
async function* chunks(signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  signal?.throwIfAborted()
  await using file = await open('/proc/self/mountinfo')
  for (;;) {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.allocUnsafe(64 * 1024) })
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
    signal?.throwIfAborted()
  }
}

/** The mounts at a place and below it. */
export async function mountsUnder(place: string): Promise<MountInfo[]> {
  const infos: MountInfo[] = []
  for await (const info of mountTable()) if (isAtOrBelow(info.mountPoint, place)) infos.push(info)
  return infos
}
