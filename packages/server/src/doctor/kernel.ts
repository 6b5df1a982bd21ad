import { closeSync } from 'node:fs'
import { release } from 'node:os'
import { getSystemErrorName } from 'node:util'
import { isNsboxError } from '@nsbox/errors'
import { fileCalls } from '@nsbox/sys/files'
import { AT_FDCWD, O_PATH } from '@nsbox/sys/mount-flags'
import { openPidfd } from '@nsbox/sys/processes'
import type { Finding } from './finding.ts'

/** Whether the kernel, and whatever filters system calls, has those without which nothing works. */
export function kernel(): Finding {
  const about = { subject: 'kernel', neededFor: 'images, snapshots and containers' }
  const found = `Linux ${release()}`
  const refused = [...refusalOf('openat2', openRoot), ...refusalOf('pidfd_open', openSelf)]
  if (refused.length === 0) return { ...about, state: 'ok', found }
  return {
    ...about,
    state: 'missing',
    found: `${found} refuses ${refused.join(' and ')}`,
    wayOut:
      'use Linux 5.6 or later, and a container or sandbox around this one that allows these system calls',
  }
}

function refusalOf(name: string, call: () => number): string[] {
  try {
    closeSync(call())
    return []
  } catch (error) {
    return [`${name} (${isNsboxError(error) ? error.details.errno : (error as Error).message})`]
  }
}

function openRoot(): number {
  const fd = fileCalls.openat2(AT_FDCWD, '/', O_PATH, 0, 0)
  if (fd < 0) throw new Error(getSystemErrorName(fd))
  return fd
}

const openSelf = () => openPidfd(process.pid)
