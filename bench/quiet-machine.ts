import { open, unlink } from 'node:fs/promises'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Waits until the machine has nothing else to do; says so if that does not come about. */
export async function quiet(): Promise<void> {
  for (let tries = 0; tries < 24 && loadavg()[0]! >= 0.5; tries++) await sleep(5000)
  if (loadavg()[0]! >= 0.5) console.error(`the machine is busy (load ${loadavg()[0]!.toFixed(1)})`)
}

/**
 * Touches memory and frees it again: a virtual machine may have returned its free pages to the host, and then
 * whoever comes first waits two seconds for each gigabyte.
 */
export async function warmMemory(megabytes = 3000): Promise<void> {
  const path = join('/dev/shm', `nsbox-bench-${process.pid}`)
  await using file = await open(path, 'wx')
  // Gone with this process, however that ends.
  await unlink(path)
  const zeros = Buffer.alloc(1 << 20)
  for (let written = 0; written < megabytes; written++) await file.write(zeros)
}
