import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runOrThrow } from '@nsbox/testing'

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
  const file = join('/dev/shm', `nsbox-bench-${process.pid}`)
  const count = `count=${megabytes}`
  await runOrThrow('dd', ['if=/dev/zero', `of=${file}`, 'bs=1M', count, 'status=none'], { timeout: 60_000 })
  await runOrThrow('rm', [file])
}
