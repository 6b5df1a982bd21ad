/**
 * The system calls of ordinary programs, by purpose, with all names of 32-bit and older interfaces. Chosen from the
 * list of Linux (syscalls(2)) by one question: can it reach something of the host or of a neighbour, or a part of the
 * kernel through which containers have escaped? So missing are, among others: io_uring, whose work no filter sees;
 * `userfaultfd`; the kernel's key rings, which no namespace separates; loading of kernels and modules, swap, and the
 * calls in the table by capability below. `clone`, `unshare`, `socket` and `personality` depend on their arguments.
 */
export const ordinaryCalls: readonly string[] = words(`
  open openat openat2 creat close close_range dup dup2 dup3 pipe pipe2 fcntl fcntl64 ioctl flock
  read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek
  sendfile sendfile64 splice tee vmsplice copy_file_range
  readahead fadvise64 fadvise64_64 arm_fadvise64_64 cachestat
  sync syncfs fsync fdatasync sync_file_range sync_file_range2 arm_sync_file_range
  truncate truncate64 ftruncate ftruncate64 fallocate

  stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx
  statfs statfs64 fstatfs fstatfs64 ustat access faccessat faccessat2 name_to_handle_at
  chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown fchown32 fchownat umask
  utime utimes utimensat utimensat_time64 futimesat
  getxattr lgetxattr fgetxattr getxattrat setxattr lsetxattr fsetxattr setxattrat
  listxattr llistxattr flistxattr listxattrat removexattr lremovexattr fremovexattr removexattrat

  getdents getdents64 getcwd chdir fchdir mkdir mkdirat rmdir mknod mknodat
  link linkat symlink symlinkat readlink readlinkat rename renameat renameat2 unlink unlinkat
  inotify_init inotify_init1 inotify_add_watch inotify_rm_watch fanotify_mark

  poll ppoll ppoll_time64 select _newselect pselect6 pselect6_time64
  epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2
  eventfd eventfd2 signalfd signalfd4
  io_setup io_submit io_cancel io_destroy io_getevents io_pgetevents io_pgetevents_time64

  brk mmap mmap2 munmap mremap remap_file_pages mprotect madvise mincore msync mseal
  mlock mlock2 munlock mlockall munlockall memfd_create memfd_secret membarrier
  pkey_alloc pkey_free pkey_mprotect map_shadow_stack

  fork vfork execve execveat exit exit_group wait4 waitid waitpid
  getpid getppid gettid getpgid getpgrp setpgid getsid setsid getcpu
  pidfd_open pidfd_send_signal process_mrelease
  ptrace process_vm_readv process_vm_writev
  set_tid_address set_robust_list get_robust_list rseq prctl restart_syscall
  futex futex_time64 futex_wait futex_waitv futex_wake futex_requeue
  getrusage getrlimit ugetrlimit setrlimit prlimit64
  getpriority setpriority nice ioprio_get ioprio_set
  sched_yield sched_getaffinity sched_setaffinity sched_getattr sched_setattr sched_getparam sched_setparam
  sched_getscheduler sched_setscheduler sched_get_priority_max sched_get_priority_min
  sched_rr_get_interval sched_rr_get_interval_time64
  capget capset seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
  uname sysinfo getrandom

  getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32
  setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
  getresuid getresuid32 getresgid getresgid32 setresuid setresuid32 setresgid setresgid32
  setfsuid setfsuid32 setfsgid setfsgid32 getgroups getgroups32 setgroups setgroups32

  kill tkill tgkill pause alarm sigaltstack
  rt_sigaction rt_sigprocmask rt_sigpending rt_sigsuspend rt_sigreturn
  rt_sigtimedwait rt_sigtimedwait_time64 rt_sigqueueinfo rt_tgsigqueueinfo
  signal sigaction sigprocmask sigpending sigsuspend sigreturn

  time times gettimeofday nanosleep getitimer setitimer adjtimex
  clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep clock_nanosleep_time64
  clock_adjtime clock_adjtime64
  timer_create timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64
  timerfd_create timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64

  socketpair bind connect listen accept accept4 shutdown getsockname getpeername getsockopt setsockopt
  send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64

  ipc msgget msgsnd msgrcv msgctl semget semop semtimedop semtimedop_time64 semctl shmget shmat shmdt shmctl
  mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64
  mq_notify mq_getsetattr
`)

/** Calls that check for a capability themselves, and are useless without it. */
export const callsByCapability: Readonly<Record<string, readonly string[]>> = {
  CAP_BPF: words('bpf'),
  CAP_DAC_READ_SEARCH: words('open_by_handle_at'),
  CAP_PERFMON: words('perf_event_open'),
  CAP_SYS_ADMIN: words(`
    bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick listmount mount mount_setattr move_mount open_tree
    perf_event_open pivot_root quotactl quotactl_fd setdomainname sethostname setns statmount syslog umount umount2
    unshare
  `),
  CAP_SYS_BOOT: words('reboot'),
  CAP_SYS_CHROOT: words('chroot'),
  CAP_SYS_MODULE: words('delete_module finit_module init_module'),
  CAP_SYS_NICE: words('get_mempolicy mbind migrate_pages move_pages set_mempolicy set_mempolicy_home_node'),
  CAP_SYS_PACCT: words('acct'),
  CAP_SYS_PTRACE: words('kcmp pidfd_getfd process_madvise'),
  CAP_SYS_RAWIO: words('ioperm iopl'),
  CAP_SYS_TIME: words('clock_settime clock_settime64 settimeofday stime'),
  CAP_SYS_TTY_CONFIG: words('vhangup'),
  CAP_SYSLOG: words('syslog'),
}

/** libseccomp's names of the interfaces of an architecture, and its own calls. */
export interface CallArchitecture {
  readonly names: readonly string[]
  readonly calls: readonly string[]
}

/** By Go's name of the architecture. x32, the third interface of amd64, is left out: nothing uses it. */
export const callArchitectures: Readonly<Record<string, CallArchitecture>> = {
  amd64: {
    names: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86'],
    calls: words('arch_prctl get_thread_area modify_ldt set_thread_area uretprobe'),
  },
  '386': { names: ['SCMP_ARCH_X86'], calls: words('get_thread_area modify_ldt set_thread_area') },
  arm64: {
    names: ['SCMP_ARCH_AARCH64', 'SCMP_ARCH_ARM'],
    calls: words('breakpoint cacheflush get_tls set_tls'),
  },
  arm: { names: ['SCMP_ARCH_ARM'], calls: words('breakpoint cacheflush get_tls set_tls') },
  ppc64le: { names: ['SCMP_ARCH_PPC64LE'], calls: words('swapcontext') },
  riscv64: { names: ['SCMP_ARCH_RISCV64'], calls: words('riscv_flush_icache riscv_hwprobe') },
  s390x: {
    names: ['SCMP_ARCH_S390X', 'SCMP_ARCH_S390'],
    calls: words('s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr'),
  },
}

function words(text: string): string[] {
  return text.split(/\s+/).filter((word) => word !== '')
}
