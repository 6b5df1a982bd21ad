import type { Sample } from './profile.ts'

/** What a sample may count to, as the heads of columns. */
export const parts = [
  'JavaScript',
  'garbage collection',
  'reading code',
  "Node's native code",
  'hashing',
  'decompression',
  'SQLite',
  "containerd's own code",
  'C library',
  'kernel: files',
  'kernel: network',
  'kernel: memory',
  'kernel: processes',
  'kernel: else',
  'runc and containers',
  'clients',
  'registry',
  "the kernel's threads",
  'nothing to do',
] as const
export type Part = (typeof parts)[number]

/** Processes that samples are told apart by. */
export interface Processes {
  /** The daemon and its helpers. */
  readonly daemon: ReadonlySet<number>
  /** Whatever else of them has a name of its own. */
  readonly own: number
}

const byThread: readonly [RegExp, Part][] = [
  [/^swapper/, 'nothing to do'],
  [
    /^(kworker|jbd2|ksoftirqd|kswapd|rcu_|kdamond|migration|loop\d|kcompactd|khugepaged)/,
    "the kernel's threads",
  ],
  [/^(runc|exe$|true$|busybox|sleep$)/, 'runc and containers'],
  [/^(docker-registry|registry)/, 'registry'],
]

const native: readonly [RegExp, Part][] = [
  [/sqlite/i, 'SQLite'],
  [/^Builtins_|\(\[JIT\]|\(\/\/anon\)|\(\[anon|perf-\d+\.map/, 'JavaScript'],
  [/sha256|sha512|SHA256|SHA512/, 'hashing'],
  [/inflate|Inflate|crc32|crc_fold|adler32|zng_|deflate/, 'decompression'],
  [
    /Scaveng|MarkCompact|Marking|Sweep|Evacuat|::Heap::|GarbageCollect|PagedSpace|NewSpace|SemiSpace|RememberedSet|ObjectVisitor|cppgc/,
    'garbage collection',
  ],
  [
    /Parser|Scanner|[Ii]nterpreter|[Cc]ompiler|Bytecode|[Ss]erializ|baseline|[Tt]urbo|Assembler|Ast[A-Z]|Zone|FeedbackMetadata|ScopeInfo|Snapshot/,
    'reading code',
  ],
  [/libc\.so|libc-|ld-linux|libpthread|libstdc|libm\.so/, 'C library'],
  [/\/node\)|koffi|\.node\)/, "Node's native code"],
  [/containerd/, "containerd's own code"],
]

/** By any function on the way to where the kernel was. */
const kernel: readonly [RegExp, Part][] = [
  [/(sock_|tcp_|unix_stream|inet_|__sys_send|__sys_recv|skb_|net_rx)/, 'kernel: network'],
  [
    /(execve|kernel_clone|do_exit|do_wait|copy_process|setns|unshare|cgroup_|mmput|do_group_exit)/,
    'kernel: processes',
  ],
  [/(page_fault|do_user_addr_fault|vm_mmap|vm_munmap|madvise|mprotect|do_mmap|_brk)/, 'kernel: memory'],
  [
    /(ext4|jbd2|ovl_|vfs_|iomap|filename_|path_|do_sys_open|fsync|xattr|getdents|mount|do_unlinkat|do_fcntl)/,
    'kernel: files',
  ],
]

/** What a sample counts to. */
export function partOf({ thread, pid, frames }: Sample, { daemon, own }: Processes): Part {
  const inDaemon = daemon.has(pid) && pid !== own
  const named = byThread.find(([name]) => name.test(thread))
  if (named !== undefined) return named[1]
  if (!inDaemon) return 'clients'
  const [leaf = ''] = frames
  if (!/\(\[(kernel|guest)/.test(leaf))
    return native.find(([text]) => text.test(leaf))?.[1] ?? "Node's native code"
  const inKernel = frames.filter((frame) => frame.includes('([kernel')).join(' ')
  return kernel.find(([text]) => text.test(inKernel))?.[1] ?? 'kernel: else'
}
