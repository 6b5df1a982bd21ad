import type { ErrorCode } from '@nsbox/errors'

/** What a line of CRIU's log means, for readers who do not know CRIU. */
export interface Obstacle {
  readonly code: ErrorCode
  /** The resource in the way; undefined where CRIU does not name it. */
  readonly name?: string | undefined
}

type Known = readonly [pattern: RegExp, code: ErrorCode, name?: (...groups: string[]) => string]

/** Messages of CRIU 3 and 4, those that name a cause first. Where an option of containerd helps, the text names it. */
const known: readonly Known[] = [
  [/No space left on device/, 'resource_exhausted', () => 'no space for the images'],
  [
    /Tracking memory is not available/,
    'unimplemented',
    () => 'this kernel does not tell which memory has changed since the parent',
  ],
  [/Connected TCP socket/, 'failed_precondition', () => 'an open TCP connection (open_tcp keeps it)'],
  [/In-flight connection/, 'failed_precondition', () => 'a TCP connection that nobody has accepted yet'],
  // https://github.com/checkpoint-restore/criu/issues/2705
  [
    /sockets: Can't get 1:(?:16|34) opt/,
    'failed_precondition',
    () => 'a network socket, which this CRIU cannot keep on Linux 6.16 and later',
  ],
  [
    /Unknown socket collected \(family (\d+)\)/,
    'failed_precondition',
    (family) => `a socket of family ${family}`,
  ],
  [
    /External socket is used/,
    'failed_precondition',
    () => 'a unix socket that is connected to the outside (external_unix_sockets keeps some)',
  ],
  [
    /Can't dump half of stream unix connection.*?peer name: (.+)/,
    'failed_precondition',
    (peer) => `a unix socket that is connected to the outside, to ${JSON.stringify(peer)}`,
  ],
  [/file locks are hold/, 'failed_precondition', () => 'a lock of a file (file_locks keeps it)'],
  [
    /Can't dump ghost file (.+) of (\d+) size/,
    'failed_precondition',
    (path, size) => `a deleted file that is open and large, ${JSON.stringify(path)} with ${size} bytes`,
  ],
  [
    /Can't dump file \d+ of that type \[\d+\] \((chr \d+:\d+|blk \d+:\d+|anon .+)\)/,
    'failed_precondition',
    (type) => (type.startsWith('anon') ? `an open ${type.slice(5)}` : `an open device (${type})`),
  ],
  [
    /Can't lookup mount=\d+ for fd=(\d+) path=(.+)/,
    'failed_precondition',
    (fd, path) =>
      `an open file outside the mounts of the container, ${JSON.stringify(path)} (descriptor ${fd})`,
  ],
  [
    /\(anon_inode:\[io_uring\]\)/,
    'failed_precondition',
    () =>
      'io_uring, which CRIU does not know (with UV_USE_IO_URING=0 in its environment Node does not use it)',
  ],
  [
    /send_fds failed \(-22\)/,
    'failed_precondition',
    () => 'a descriptor that no other process can be given, such as one of io_uring',
  ],
  [
    /mnt: \d+:\.(\S+) doesn't have a proper root mount/,
    'failed_precondition',
    (path) =>
      `a mount inside a bind mount of the host, at ${JSON.stringify(path)} (of \`rbind\`; \`bind\` leaves it out)`,
  ],
  [/dangling tty/, 'failed_precondition', () => 'a terminal of a session outside (terminal keeps it)'],
  [
    /zombie \d+ \(comm (.+)\) found while seizing/,
    'failed_precondition',
    (name) => `process ${JSON.stringify(name)}, which is traced by another or has ended`,
  ],
  [
    /File (.+) has bad (size|mode) (\d+) \(expect (\d+)\)/,
    'failed_precondition',
    (path, what, is, was) =>
      `file ${JSON.stringify(`/${path}`)}, whose ${what} is ${is} and was ${was} in the checkpoint`,
  ],
  [
    /File (.+) has bad build-ID/,
    'failed_precondition',
    (path) =>
      `file ${JSON.stringify(`/${path}`)}, which is another program or library than in the checkpoint`,
  ],
  [
    /Can't open file (.+?)(?: on restore)?: No such file or directory/,
    'failed_precondition',
    (path) => `file ${JSON.stringify(`/${path}`)}, which the root filesystem lacks`,
  ],
  [/No mapping for \d+:.* mountpoint/, 'failed_precondition', () => 'a bind mount that the spec lacks'],
  [
    /Don't have tty to inherit session from/,
    'failed_precondition',
    () => 'a terminal, which the task was not given',
  ],
  [
    /Can't fork for (\d+): File exists/,
    'failed_precondition',
    (pid) => `process number ${pid}, which another process has`,
  ],
  [/Dump files \(pid: \d+\) failed/, 'failed_precondition'],
]

/** The first known obstacle that a line of a log names. */
export function obstacle(lines: readonly string[]): Obstacle | undefined {
  for (const [pattern, code, name] of known)
    for (const line of lines) {
      const groups = pattern.exec(line)
      if (groups !== null) return { code, name: name?.(...groups.slice(1)) }
    }
  return undefined
}
