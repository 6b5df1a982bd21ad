import { closeSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { acceptUnix, connectUnix, listenUnix } from '@nsbox/sys/descriptors'

let pairs = 0

/** Two connected sockets of packets; the caller closes them. */
export function socketPair(): [here: number, there: number] {
  const path = join(tmpdir(), `nsbox-pair-${process.pid}-${pairs++}`)
  const listener = listenUnix(path, 'packets')
  try {
    const there = connectUnix(path, 'packets')
    return [acceptUnix(listener)!, there]
  } finally {
    closeSync(listener)
    rmSync(path)
  }
}
