import { closeSync, readSync, writeSync } from 'node:fs'
import { pipe } from '@nsbox/sys'
import { setNonBlocking } from '@nsbox/sys/descriptors'
import { tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, test } from 'vitest'
import { OwnedEnds } from '../protocol/owned-ends.ts'
import { ManagedProcess } from './managed-process.ts'
import { RecordFiles } from './record-files.ts'
import { Watcher } from './watcher.ts'

describeWith({ linux: true }, 'a process of the supervisor', () => {
  test('has handed on what it wrote last before its exit is told', async () => {
    await using dir = await tempDir()
    const [output, sink] = [pipe(4096), pipe(4096)]
    setNonBlocking(sink.read)
    const ends = new OwnedEnds()
    ends.add('stdout', output.read)
    ends.add('stdout-sink', sink.write)
    const told: string[] = []
    const process = new ManagedProcess(
      {
        key: 'writes',
        pid: 1,
        startTime: '1',
        io: { stdin: '', stdout: '', stderr: '', terminal: false },
        stdinEnded: true,
        drained: false,
      },
      ends,
      {
        // It does not run: nobody else hands the output on.
        watcher: new Watcher(),
        records: new RecordFiles(dir.path),
        notify: ({ notice }) => {
          const bytes = Buffer.alloc(64)
          if (notice === 'exit') told.push(bytes.toString('utf8', 0, readSync(sink.read, bytes)))
        },
      },
    )
    writeSync(output.write, 'last words')
    closeSync(output.write)
    process.ended({ exitStatus: 0, exitedAt: 1 })
    expect(told).toEqual(['last words'])
    await process.release()
    closeSync(sink.read)
  })
})
