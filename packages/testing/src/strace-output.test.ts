import { expect, it } from 'vitest'
import { parseStrace } from './strace-output.ts'

it('reads calls with their descriptors, strings and errors', () => {
  const text = `7  openat(AT_FDCWD</>, "/a) = b", O_RDONLY) = 3</a) = b>
7  openat(AT_FDCWD</>, "/none", O_RDONLY) = -1 ENOENT (No such file or directory)
8  fsync(3</a>)                  = 0
`
  expect(parseStrace(text)).toMatchObject([
    { pid: 7, name: 'openat', args: 'AT_FDCWD</>, "/a) = b", O_RDONLY' },
    { pid: 7, result: '-1 ENOENT (No such file or directory)' },
    { pid: 8, name: 'fsync', args: '3</a>', result: '0', entered: 2, returned: 2 },
  ])
})

it('joins what other threads interrupted, and keeps the order of both ends', () => {
  const text = `7  fdatasync(3</wal> <unfinished ...>
8  write(4</b>, "x", 1)          = 1
7  <... fdatasync resumed>)      = 0
9  read(5</c>,  <unfinished ...>
7  write(4</b>, "y", 1)          = 1
9  <... read resumed>"z", 10)    = 1
`
  expect(parseStrace(text)).toEqual([
    { pid: 8, name: 'write', args: '4</b>, "x", 1', result: '1', entered: 1, returned: 1 },
    { pid: 7, name: 'fdatasync', args: '3</wal>', result: '0', entered: 0, returned: 2 },
    { pid: 7, name: 'write', args: '4</b>, "y", 1', result: '1', entered: 4, returned: 4 },
    { pid: 9, name: 'read', args: '5</c>, "z", 10', result: '1', entered: 3, returned: 5 },
  ])
})

it('passes over signals, exits and calls that never returned', () => {
  const text = `7  --- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, si_uid=0} ---
8  futex(0x1, FUTEX_WAIT, 0 <unfinished ...>
8  <... futex resumed>)          = ?
7  exit_group(0)                 = ?
9  <... wait4 resumed>, 0, NULL) = 3
7  +++ exited with 0 +++
6  write(1</pipe>, "tick", 4 <detached ...>
5  ???( <unfinished ...>
5  <... ??? resumed>)            = ?
`
  expect(parseStrace(text).map(({ result }) => result)).toEqual(['?', '?'])
})

it('refuses what it cannot read', () => {
  expect(() => parseStrace('strace: something else\n')).toThrow(/something else/)
})
