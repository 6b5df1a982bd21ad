import { realpathSync } from 'node:fs'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Bundles, makeBundles, withHostPrograms } from '../testing/bundles.ts'
import {
  type SpecOption,
  withAddedCapabilities,
  withDefaultSeccomp,
  withNoNewPrivileges,
  withPrivileged,
  withSeccomp,
  withUser,
} from './index.ts'

const programs = ['runc', 'busybox', 'tar', 'python3', 'perl']

describeWith(
  { linux: true, root: true, programs },
  'the default filter of system calls, in a container',
  () => {
    let bundles: Bundles
    let host: SpecOption

    beforeAll(async () => {
      bundles = await makeBundles([
        { type: 'directory', name: 'usr' },
        { type: 'directory', name: 'root' },
      ])
      host = await withHostPrograms(bundles.rootfs)
    })

    afterAll(() => bundles?.[Symbol.asyncDispose]())

    /** The errno of each call, or 0, in a container. */
    async function errors(
      calls: Readonly<Record<string, string>>,
      options: readonly SpecOption[],
    ): Promise<object> {
      const lines = Object.entries(calls).map(([name, call]) => `said[${JSON.stringify(name)}] = ${call}`)
      const script = `
import ctypes, errno, json, os
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
def call(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args])
    return errno.errorcode[ctypes.get_errno()] if result == -1 else 0
said = {}
${lines.join('\n')}
print(json.dumps(said))
`
      const { code, stdout, stderr } = await bundles.run(
        ['/usr/bin/python3', '-c', script],
        [host, ...options],
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      return JSON.parse(stdout)
    }

    // Numbers of x86-64; those above 423 are the same everywhere.
    const x64 = process.arch === 'x64'

    it('B19 denies io_uring', async () => {
      const calls = {
        setup: 'call(425, 1, ctypes.create_string_buffer(120))',
        enter: 'call(426, 0, 0, 0, 0, 0, 0)',
        register: 'call(427, 0, 0, 0, 0)',
      }
      expect(await errors(calls, [withDefaultSeccomp()])).toEqual({
        setup: 'EPERM',
        enter: 'EPERM',
        register: 'EPERM',
      })
      expect(await errors({ setup: calls.setup }, [])).not.toEqual({ setup: 'EPERM' })
    })

    it.runIf(x64)(
      'denies sockets of families that lead out of the container, however they are spelled',
      async () => {
        const families = {
          unix: 1,
          inet: 2,
          inet6: 10,
          netlink: 16,
          packet: 17,
          alg: 38,
          vsock: 40,
          algInHighBits: 0x1_0000_0026,
          none: 0,
        }
        const calls = Object.fromEntries(
          Object.entries(families).map(([name, family]) => [
            name,
            `call(41, ${family}, ${family === 16 ? 3 : family === 38 ? 5 : 1}, 0)`,
          ]),
        )
        const denied = 'EPERM'
        expect(await errors(calls, [withDefaultSeccomp()])).toEqual({
          unix: 0,
          inet: 0,
          inet6: expect.not.stringMatching('EPERM'),
          netlink: 0,
          packet: expect.not.stringMatching('EPERM'),
          alg: denied,
          vsock: denied,
          algInHighBits: denied,
          none: denied,
        })
      },
    )

    it.runIf(x64)('denies such sockets through the interface for 386 as well', async () => {
      // push rbx; mov eax, 102 (socketcall); mov ebx, edi; mov ecx, esi; int 0x80; pop rbx; ret
      const code = '53 b8 66 00 00 00 89 fb 89 f1 cd 80 5b c3'
      const attempt = `
(lambda: (
    # MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, readable, writable, executable
    setattr(libc.mmap, "restype", ctypes.c_void_p),
    page := libc.mmap(None, 4096, 7, 0x62, -1, 0),
    ctypes.memmove(page, bytes.fromhex("${code}"), 14),
    ctypes.memmove(page + 64, (ctypes.c_uint32 * 3)(FAMILY, 5 if FAMILY == 38 else 1, 0), 12),
    child := os.fork(),
    child or os._exit(-min(ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_uint, ctypes.c_uint)(page)(1, page + 64), 0)),
    os.waitpid(child, 0)[1],
)[-1])()`
        .replaceAll('\n', ' ')
        .replace(/#.*executable/, '')
      const calls = { alg: attempt.replaceAll('FAMILY', '38'), inet: attempt.replaceAll('FAMILY', '2') }
      const free = (await errors(calls, [])) as { inet: number }
      // A kernel without that interface ends the program by a signal; then nothing has to be denied.
      const denied = free.inet === 0 ? 38 << 8 : free.inet
      expect(await errors(calls, [withDefaultSeccomp()])).toEqual({ alg: denied, inet: denied })
    })

    it.runIf(x64)('denies new namespaces, and lets threads and processes be', async () => {
      const calls = {
        // CLONE_NEWUSER, CLONE_NEWTIME, CLONE_FS
        unshareUser: 'call(272, 0x10000000)',
        unshareTime: 'call(272, 0x80)',
        unshareFs: 'call(272, 0x200)',
        clone3: 'call(435, 0, 0)',
        setns: 'call(308, 0, 0)',
        fork: '0 if os.waitpid(os.fork() or os._exit(0), 0)[1] == 0 else 1',
      }
      expect(await errors(calls, [withDefaultSeccomp()])).toEqual({
        unshareUser: 'EPERM',
        unshareTime: 'EPERM',
        unshareFs: 0,
        clone3: 'ENOSYS',
        setns: 'EPERM',
        fork: 0,
      })
    })

    it.runIf(x64)('lets a call pass that a capability is for', async () => {
      const calls = {
        unshareUts: 'call(272, 0x4000000)',
        bpf: 'call(321, 0, 0, 0)',
        reboot: 'call(169, 0, 0, 0, 0)',
        keyctl: 'call(250, 0, 0, 0, 0, 0)',
      }
      expect(await errors(calls, [withDefaultSeccomp()])).toEqual({
        unshareUts: 'EPERM',
        bpf: 'EPERM',
        reboot: 'EPERM',
        keyctl: 'EPERM',
      })
      expect(
        await errors(calls, [withAddedCapabilities(['CAP_SYS_ADMIN', 'CAP_SYS_BOOT']), withDefaultSeccomp()]),
      ).toEqual({
        unshareUts: 0,
        bpf: expect.not.stringMatching('EPERM'),
        reboot: 'EINVAL',
        keyctl: 'EPERM',
      })
    })

    it.runIf(x64)('lets a program ask for its personality and not change it at will', async () => {
      const calls = {
        ask: 'call(135, 0xffffffff)',
        linux32: 'call(135, 8)',
        // ADDR_NO_RANDOMIZE
        fixed: 'call(135, 0x40000)',
      }
      expect(await errors(calls, [withDefaultSeccomp()])).toEqual({ ask: 0, linux32: 0, fixed: 'EPERM' })
    })

    it('can be replaced and taken away', async () => {
      const deny = withSeccomp({
        defaultAction: 'SCMP_ACT_ALLOW',
        syscalls: [{ names: ['mkdir', 'mkdirat'], action: 'SCMP_ACT_ERRNO', errnoRet: 17 }],
      })
      const mode = ['sh', '-c', 'mkdir /run/a 2>&1; grep Seccomp: /proc/self/status']
      expect((await bundles.run(mode, [deny])).stdout).toMatch(/File exists\nSeccomp:\t2\n$/)
      const gone = [withDefaultSeccomp(), withPrivileged({ capabilities: ['CAP_CHOWN'] })]
      expect((await bundles.run(mode, gone)).stdout).toBe('Seccomp:\t0\n')
    })

    it('works for a user who may gain privileges, too', async () => {
      const options = [withUser({ uid: 1000, gid: 1000 }), withNoNewPrivileges(false), withDefaultSeccomp()]
      expect((await bundles.run(['id', '-u'], options)).stdout).toBe('1000\n')
    })

    it.each([
      [
        'busybox',
        [
          'sh',
          '-c',
          'cd /run && echo a > b && cp b c && tar -cf d b c && gzip d && ls -l | wc -l && ps > /dev/null && ' +
            'sleep 0.01 & wait; echo done',
        ],
        '4\ndone\n',
      ],
      [
        'bash',
        [
          '/usr/bin/bash',
          '-c',
          'set -e; for i in 1 2 3; do echo $i; done | sort -r | (read a; echo $a); type -t coproc',
        ],
        '3\nkeyword\n',
      ],
      [
        'dpkg',
        [
          '/usr/bin/bash',
          '-c',
          `set -e
          mkdir -p /run/p/DEBIAN /run/p/etc && echo x > /run/p/etc/x
          printf 'Package: p\\nVersion: 1\\nArchitecture: all\\nMaintainer: m\\nDescription: d\\n' \
            > /run/p/DEBIAN/control
          /usr/bin/dpkg-deb --build /run/p /run/p.deb > /run/said
          /usr/bin/dpkg-deb --extract /run/p.deb /run/q && cat /run/q/etc/x`,
        ],
        'x\n',
      ],
      [
        'perl',
        [
          '/usr/bin/perl',
          '-e',
          'pipe(R, W); if (!fork) { print W "x\\n"; exit 0 } wait; close W; print <R>; system("true"); print "$?\\n"',
        ],
        'x\n0\n',
      ],
      [
        'python',
        [
          '/usr/bin/python3',
          '-c',
          `
import concurrent.futures, hashlib, multiprocessing, os, select, signal
import socket, ssl, subprocess, tempfile, threading, time
def work(x): return x * x
if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor(4) as pool: assert list(pool.map(work, range(4))) == [0, 1, 4, 9]
    with multiprocessing.get_context("fork").Pool(2) as pool: assert pool.map(work, [3]) == [9]
    assert subprocess.run(["/bin/echo", "x"], capture_output=True).stdout == b"x\\n"
    a, b = socket.socketpair(); a.sendall(b"y"); assert b.recv(1) == b"y"
    server = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(server.getsockname()); client.close()
    select.epoll().close(); os.memfd_create("m"); os.urandom(4); os.sched_getaffinity(0); time.sleep(0.001)
    signal.signal(signal.SIGALRM, lambda *_: None); signal.setitimer(signal.ITIMER_REAL, 0.001); signal.pause()
    ssl.create_default_context(); tempfile.TemporaryFile().close()
    print("python")
`,
        ],
        'python\n',
      ],
      [
        'node',
        [
          realpathSync(process.execPath),
          '-e',
          `
const { Worker } = require('node:worker_threads'), { execFileSync } = require('node:child_process')
const { createServer } = require('node:http'), { createHash } = require('node:crypto'), fs = require('node:fs')
fs.writeFileSync('/run/n', 'x'); fs.copyFileSync('/run/n', '/run/m'); fs.watch('/run').close()
createHash('sha256').update('x').digest()
execFileSync('/bin/true')
const server = createServer((_, response) => response.end('node')).listen(0, '127.0.0.1', async () => {
  const text = await (await fetch('http://127.0.0.1:' + server.address().port)).text()
  const worker = new Worker('require("node:worker_threads").parentPort.postMessage(1)', { eval: true })
  worker.once('message', () => { console.log(text); process.exit() })
})
`,
        ],
        'node\n',
      ],
    ])('lets %s do its work', async (_, args, expected) => {
      const { code, stdout, stderr } = await bundles.run(args, [host, withDefaultSeccomp()])
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: expected, stderr: '' })
    })
  },
)
