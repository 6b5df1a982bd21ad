import { closeSync, openSync } from 'node:fs'
import { mkdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { expect, it } from 'vitest'
import { describeWith } from './describe-with.ts'
import { watchLeaks } from './leaks.ts'
import { runOrThrow } from './run.ts'
import { startProcess } from './running-process.ts'
import { tempDir } from './temp-dir.ts'

/** On a signal, makes one child that ends and one that stays, and waits for neither. */
const parent = `
  $| = 1;
  $SIG{USR1} = sub { fork || exit; $stays = fork || exec "sleep", "1000" };
  $SIG{TERM} = sub { kill "KILL", $stays; exit };
  print "ready";
  sleep 1000 while 1`

describeWith({ root: true, linux: true }, 'leaks', () => {
  it('are files, FIFOs, mounts, descriptors, processes, zombies and cgroups that were not there', async () => {
    await using cleanup = new AsyncDisposableStack()
    const directory = cleanup.use(await tempDir()).path
    const name = `nsbox-leaks-${process.pid}`
    const mounted = join(directory, 'mounted')
    await mkdir(mounted)
    const begetter = cleanup.use(await startProcess('perl', ['-e', parent], { ready: /ready/ }))
    const processes = async () => ({ tests: process.pid, begetter: begetter.pid })
    const watch = await watchLeaks({ directories: [directory], processes, cgroups: [name] })
    expect(await watch.leaks()).toEqual([])

    await writeFile(join(directory, 'file'), '')
    await runOrThrow('mkfifo', [join(directory, 'fifo')])
    await runOrThrow('mount', ['-t', 'tmpfs', 'leak', mounted])
    cleanup.defer(async () => void (await runOrThrow('umount', [mounted])))
    await writeFile(join(mounted, 'hidden'), '')
    const group = join('/sys/fs/cgroup/pids', name)
    cleanup.defer(() => rmdir(group))
    await mkdir(join(group, 'inside'), { recursive: true })
    cleanup.defer(() => rmdir(join(group, 'inside')))
    const fd = openSync(join(directory, 'file'), 'r')
    cleanup.defer(() => closeSync(fd))
    begetter.kill('SIGUSR1')
    const expected = [
      `FIFO ${join(directory, 'fifo')}`,
      `cgroup ${join(group, 'inside')}`,
      `descriptor of tests: ${join(directory, 'file')}`,
      `file ${join(directory, 'file')}`,
      `mount ${mounted}`,
      'process below begetter: sleep',
      'zombie below begetter: perl',
    ]
    await expect.poll(async () => (await watch.leaks(0)).sort()).toEqual(expected)
  })
})
