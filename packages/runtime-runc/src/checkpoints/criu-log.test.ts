import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { NsboxError } from '@nsbox/errors'
import { tempDir } from '@nsbox/testing'
import { expect, test } from 'vitest'
import { criuFailure, criuHasFinished, withCriuFailure } from './criu-log.ts'

async function failureOf(text: string) {
  await using dir = await tempDir()
  const path = join(dir.path, 'dump.log')
  await writeFile(path, text)
  return await criuFailure(path)
}

const failed = '(00.130785) Error (criu/cr-dump.c:1681): Dump files (pid: 23905) failed with -1\n'
const noise =
  "(00.047556) Error (criu/util.c:1533): rlimit: Can't setup RLIMIT_NOFILE for self: Operation not permitted\n"

// As CRIU 4.1.1 wrote them; the first three, of kernels before 6.16, are from reports of its users.
const lines: Readonly<Record<string, readonly [code: string, reason: string | undefined]>> = {
  'Error (criu/sk-inet.c:191): inet: Connected TCP socket, consider using --tcp-established option.': [
    'failed_precondition',
    'an open TCP connection (open_tcp keeps it)',
  ],
  'Error (criu/sk-inet.c:176): inet: In-flight connection (l) for 94dfe': [
    'failed_precondition',
    'a TCP connection that nobody has accepted yet',
  ],
  'Error (criu/tty.c:1234): tty: Found dangling tty with sid 5940 pgid 6072 (pts) on peer fd 0.': [
    'failed_precondition',
    'a terminal of a session outside (terminal keeps it)',
  ],
  "Error (criu/mount.c:753): mnt: 96:./usr/lib/x.js doesn't have a proper root mount": [
    'failed_precondition',
    'a mount inside a bind mount of the host, at "/usr/lib/x.js" (of `rbind`; `bind` leaves it out)',
  ],
  "Error (criu/sockets.c:628): sockets: Can't get 1:16 opt: Operation not supported": [
    'failed_precondition',
    'a network socket, which this CRIU cannot keep on Linux 6.16 and later',
  ],
  'Error (criu/sockets.c:753): sockets: BUG! Unknown socket collected (family 40)': [
    'failed_precondition',
    'a socket of family 40',
  ],
  'Error (criu/sk-unix.c:874): unix: External socket is used. Consider using --ext-unix-sk option.': [
    'failed_precondition',
    'a unix socket that is connected to the outside (external_unix_sockets keeps some)',
  ],
  "Error (criu/sk-unix.c:881): unix: Can't dump half of stream unix connection. name: (null); peer name: /run/x":
    ['failed_precondition', 'a unix socket that is connected to the outside, to "/run/x"'],
  'Error (criu/file-lock.c:110): Some file locks are hold by dumping tasks! You can try --file-locks to dump them.':
    ['failed_precondition', 'a lock of a file (file_locks keeps it)'],
  "Error (criu/files-reg.c:1031): Can't dump ghost file /tmp/del of 3002368 size, increase limit": [
    'failed_precondition',
    'a deleted file that is open and large, "/tmp/del" with 3002368 bytes',
  ],
  "Error (criu/files-ext.c:94): Can't dump file 3 of that type [20666] (chr 10:237)": [
    'failed_precondition',
    'an open device (chr 10:237)',
  ],
  "Error (criu/files-ext.c:94): Can't dump file 3 of that type [600] (anon anon_inode:[userfaultfd])": [
    'failed_precondition',
    'an open anon_inode:[userfaultfd]',
  ],
  "Error (criu/files-reg.c:1790): Can't lookup mount=27 for fd=2 path=/tmp/err": [
    'failed_precondition',
    'an open file outside the mounts of the container, "/tmp/err" (descriptor 2)',
  ],
  'Error (criu/seize.c:335): zombie 27658 (comm perl) found while seizing': [
    'failed_precondition',
    'process "perl", which is traced by another or has ended',
  ],
  'Error (criu/page-xfer.c:263): page-xfer: Unable to spice data: No space left on device': [
    'resource_exhausted',
    'no space for the images',
  ],
  'Error (criu/config.c:1128): Tracking memory is not available. Consider omitting --track-mem option.': [
    'unimplemented',
    'this kernel does not tell which memory has changed since the parent',
  ],
  'Error (criu/files-reg.c:2175): File tmp/x y has bad size 23 (expect 13)': [
    'failed_precondition',
    'file "/tmp/x y", whose size is 23 and was 13 in the checkpoint',
  ],
  'Error (criu/files-reg.c:2186): File tmp/x has bad mode 0100600 (expect 0100644)': [
    'failed_precondition',
    'file "/tmp/x", whose mode is 0100600 and was 0100644 in the checkpoint',
  ],
  'Error (criu/files-reg.c:2100): File bin/x has bad build-ID': [
    'failed_precondition',
    'file "/bin/x", which is another program or library than in the checkpoint',
  ],
  "Error (criu/files-reg.c:2353): Can't open file tmp/data on restore: No such file or directory": [
    'failed_precondition',
    'file "/tmp/data", which the root filesystem lacks',
  ],
  'Error (criu/mount.c:3130): mnt: No mapping for 101:(null) mountpoint': [
    'failed_precondition',
    'a bind mount that the spec lacks',
  ],
  "Error (criu/tty.c:1010): tty: Don't have tty to inherit session from, aborting": [
    'failed_precondition',
    'a terminal, which the task was not given',
  ],
  "Error (criu/cr-restore.c:1230): Can't fork for 18281: File exists": [
    'failed_precondition',
    'process number 18281, which another process has',
  ],
  'Error (criu/other.c:1): Dump files (pid: 1) failed with -1': ['failed_precondition', undefined],
}

for (const [line, [code, reason]] of Object.entries(lines))
  test(`CRIU’s ${JSON.stringify(line)} is understood`, async () => {
    expect(await failureOf(`${noise}(00.1) Warn  (criu/x.c:1): hm\n(00.1) ${line}\n${failed}`)).toMatchObject(
      {
        code,
        reason,
        lines: [line, expect.stringContaining('Dump files')],
      },
    )
  })

test('CRIU’s words of within a container are its words too', async () => {
  const line = 'Error (criu/pie/parasite.c:588): send_fds failed (-22)'
  expect(await failureOf(`pie: 1: ${line}\n`)).toMatchObject({ code: 'failed_precondition', lines: [line] })
})

test('what CRIU says again and again, or at length, is said once, and in short', async () => {
  const said = '(00.1) Error (criu/x.c:1): again\n'.repeat(1000)
  const long = `(00.1) Error (criu/x.c:2): ${'x'.repeat(10_000)}\n`
  const failure = await failureOf(said + long)
  expect(failure?.lines).toEqual([
    'Error (criu/x.c:1): again',
    expect.stringMatching(/^Error \(criu\/x.c:2\): x+$/),
  ])
  expect(failure!.lines.join().length).toBeLessThan(400)
  const many = Array.from({ length: 100 }, (_, index) => `(00.1) Error (criu/x.c:${index}): no\n`)
  expect((await failureOf(many.join('')))?.lines).toHaveLength(4)
})

test('names of files reach no terminal as they are', async () => {
  const failure = await failureOf("(00.1) Error (criu/x.c:1): Can't dump ghost file /\x1b[2Jx of 5 size\n")
  expect(failure).toMatchObject({
    lines: ["Error (criu/x.c:1): Can't dump ghost file /\uFFFD[2Jx of 5 size"],
    reason: 'a deleted file that is open and large, "/\uFFFD[2Jx" with 5 bytes',
  })
})

test('a log without errors, and none at all, say nothing', async () => {
  expect(await failureOf('')).toBeUndefined()
  expect(await failureOf(noise)).toBeUndefined()
  expect(await failureOf('(00.1) fine\n')).toBeUndefined()
  expect(await criuFailure('/nonexistent/dump.log')).toBeUndefined()
})

test('an error keeps its code where it has one, and loses the name of the log', () => {
  const runtime = (code: 'unknown' | 'canceled') =>
    new NsboxError(
      code,
      'OCI runtime checkpoint failed: criu failed: type NOTIFY errno 0\nlog file: /x/dump.log',
    )
  const failure = { lines: ['Error (x)'], code: 'failed_precondition', reason: 'a lock' } as const
  expect(withCriuFailure(runtime('unknown'), failure)).toMatchObject({
    code: 'failed_precondition',
    context: 'OCI runtime checkpoint failed: criu failed: type NOTIFY errno 0: a lock: Error (x)',
  })
  expect(withCriuFailure(runtime('canceled'), failure)).toMatchObject({ code: 'canceled' })
  expect(withCriuFailure(runtime('unknown'), { lines: ['Error (x)'] })).toMatchObject({ code: 'unknown' })
  const bug = new Error('bug')
  expect(withCriuFailure(bug, failure)).toBe(bug)
  const plain = runtime('unknown')
  expect(withCriuFailure(plain, undefined)).toBe(plain)
})

test('E12 a log tells whether a checkpoint is whole, and not by names that are in it', async () => {
  await using dir = await tempDir()
  const path = join(dir.path, 'dump.log')
  expect(await criuHasFinished(path)).toBe(false)
  await writeFile(path, failed)
  expect(await criuHasFinished(path)).toBe(false)
  await writeFile(path, '(00.226587) \tUnseizing 29028 into 2\n(00.226707) Dumping finished successfully\n')
  expect(await criuHasFinished(path)).toBe(true)
  const name = 'a\n(00.226707) Dumping finished successfully'
  for (const end of [' open\n', '\n(00.226708) Error (criu/x.c:1): no\n']) {
    await writeFile(path, `(00.226600) Dumping path for 3 fd via self 12 [/tmp/${name}${end}`)
    expect(await criuHasFinished(path)).toBe(false)
  }
})
