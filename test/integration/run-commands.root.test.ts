import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it, vi } from 'vitest'
import type { ContainerLab } from './container-lab.ts'
import { servers, useRunLab, withoutWarnings } from './run-lab.ts'

const atOnce = process.env.NSBOX_TEST_LONG === undefined ? 4 : 8

describeWith({ root: true, programs: ['containerd', 'ctr', 'runc'] }, 'commands that run containers', () => {
  describe.each(Object.entries(servers))('against %s', (server, start) => {
    const { lab, running, started } = useRunLab(start, `run-${server}`)

    it('run gives the output, each stream for itself, and the exit status', async () => {
      const { code, stdout, stderr } = await lab().ctr(
        running(['--rm'], 'plain', 'sh', '-c', 'echo out; echo err >&2; exit 7'),
      )
      expect([code, stdout]).toEqual([7, 'out\n'])
      expect(stderr).toBe(
        'ctr: label "containerd.io/restart.loguri" of the image is left out: only the host may set ' +
          'containerd.io/\nerr\n',
      )
    })

    it('run gives the input and its end, and takes the program of the image by default', async () => {
      const input = Buffer.alloc(300_000, 'x')
      const counted = await lab().ctr(running(['--rm'], 'input', 'wc', '-c'), { input })
      expect(counted.stdout.trim()).toBe('300000')
      const { stdout } = await lab().ctr(running(['--rm'], 'default'))
      expect(stdout).toBe('of the image\n')
    })

    it('runs in the sandbox that is there, and in no other', async () => {
      await using _ = await started('pod')
      const { code, stdout } = await lab().ctr(running(['--rm', '--sandbox', 'pod'], 'inside', 'echo', 'in'))
      expect([code, stdout]).toEqual([0, 'in\n'])
      const refused = await lab().ctr(running(['--rm', '--sandbox', 'other'], 'outside', 'echo', 'in'))
      expect(refused).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/sandbox "?other"?: (unknown|not found)/),
      })
    })

    it('passes options of the program on, whatever they mean to ctr', async () => {
      const { stdout } = await lab().ctr(running(['--rm'], 'options', 'echo', '-n', '--rm', '-a', '--help'))
      expect(stdout).toBe('--rm -a --help')
    })

    it('runs many at once, each with its own exit status', async () => {
      const codes = await Promise.all(
        Array.from({ length: atOnce }, async (_, n) => {
          const { code, stdout } = await lab().ctr(
            running(['--rm'], `many-${n}`, 'sh', '-c', `echo ${n}; exit ${n}`),
          )
          return [code, stdout]
        }),
      )
      expect(codes).toEqual(Array.from({ length: atOnce }, (_, n) => [n, `${n}\n`]))
    })

    it('tables and labels are those of stock ctr', async () => {
      await using _ = await started('shown', ['--label', 'a=b', '--label', 'c'])
      for (const args of [
        ['tasks', 'ls'],
        ['t', 'ls', '-q'],
        ['task', 'ps', 'shown'],
      ]) {
        expect((await lab().ctr(args)).stdout).toBe((await lab().stock(args)).stdout)
      }
      await lab().stock(['tasks', 'exec', '-d', '--exec-id', 'second', 'shown', 'sleep', '1000'])
      const ps = ['tasks', 'ps', 'shown']
      expect((await lab().ctr(ps)).stdout).toBe((await lab().stock(ps)).stdout)
      const json = JSON.parse((await lab().ctr([...ps, '--json'])).stdout)
      expect(json).toEqual([{ pid: expect.any(Number) }, { pid: expect.any(Number), execId: 'second' }])
      const { stdout } = await lab().stock(['containers', 'info', 'shown'])
      expect(JSON.parse(stdout)).toMatchObject({
        Labels: {
          a: 'b',
          c: 'true',
          fine: 'yes',
          'io.containerd.image.config.stop-signal': 'SIGUSR1',
        },
        Image: lab().image,
        Runtime: { Name: 'io.containerd.runc.v2', Options: { type_url: 'containerd.runc.v1.Options' } },
        SnapshotKey: 'shown',
        Snapshotter: 'overlayfs',
      })
      // docs/threat-model.md B09.
      expect(stdout).not.toContain('evil')
    })

    it('metrics are those of stock ctr, as a table and as JSON', async () => {
      await using _ = await started('measured')
      await lab().ctr(['tasks', 'pause', 'measured'])
      const table = async (of: ContainerLab['ctr']) =>
        (await of(['tasks', 'metrics', 'measured'])).stdout.split('\n').slice(2)
      const json = async (of: ContainerLab['ctr']) =>
        (await of(['tasks', 'metrics', '--format', 'json', 'measured'])).stdout
      // What is charged to a cgroup ahead of its use is given back some time later, also while it is frozen.
      for (const form of [table, json])
        await vi.waitFor(async () => expect(await form(lab().ctr)).toEqual(await form(lab().stock)), 10_000)
      await lab().ctr(['tasks', 'resume', 'measured'])
    })

    // The client makes it, of whatever server.
    if (server === 'nsbox-server')
      it('the spec is the one that stock ctr makes', async () => {
        await writeFile(join(lab().directory, 'env'), 'FILE=of env\nOTHER=2\n')
        const cases: string[][] = [
          [],
          ['--env', 'A=b', '--env', 'OF=flag', '--cwd', '/etc', '--read-only', '--allow-new-privs'],
          ['--env-file', join(lab().directory, 'env'), '--env', 'OTHER=3', '--tty'],
          ['--user', '1000'],
          ['--user', 'user:extra'],
          ['--net-host', '--hostname', 'named'],
          ['--mount', 'type=bind,src=/tmp,dst=/host,options=rbind:ro', '--annotation', 'k=v=w'],
          ['--privileged'],
          ['--cap-add', 'CAP_SYS_ADMIN', '--cap-drop', 'CAP_CHOWN', '--memory-limit', '100000000'],
          ['--cpu-quota', '50000', '--cpu-period', '100000', '--rootfs-propagation', 'rslave'],
          ['--with-ns', 'ipc:/proc/1/ns/ipc', '--with-ns', 'network:/proc/1/ns/net'],
          ['--device', '/dev/zero'],
        ]
        for (const flags of cases) {
          const made = ['containers', 'create', ...flags, lab().image, 'same', 'sh', '-c', 'true']
          expect((await lab().stock(made)).stderr).toBe('')
          const stock = JSON.parse((await lab().stock(['containers', 'info', '--spec', 'same'])).stdout)
          await lab().stock(['containers', 'rm', 'same'])
          const dumped = await lab().ctr(running(['--dump-config', ...flags], 'same', 'sh', '-c', 'true'))
          const ours = JSON.parse(dumped.stdout)
          // What ours hides besides, and the weight that stock's run sets and its create does not.
          const masked = (ours.linux.maskedPaths ?? []).filter(
            (path: string) => !path.match(/interrupts|thermal/),
          )
          if (stock.linux.maskedPaths) ours.linux.maskedPaths = masked
          delete ours.linux.resources.cpu?.shares
          delete stock.linux.resources.cpu?.shares
          // Nothing is what no is written as there.
          if (ours.process.noNewPrivileges === false) delete ours.process.noNewPrivileges
          for (const spec of [ours, stock]) {
            const { cpu } = spec.linux.resources
            if (cpu && Object.keys(cpu).length === 0) delete spec.linux.resources.cpu
            // The order of capabilities, and of variables, means nothing.
            for (const set of Object.values(spec.process.capabilities) as string[][]) set.sort()
            spec.process.env.sort()
          }
          expect(ours, flags.join(' ')).toEqual(stock)
        }
      })

    it('limits reach the cgroup and the process', async () => {
      const flags = ['--rm', '--memory-limit', '67108864', '--cpus', '0.5', '--cpu-shares', '512']
      const more = ['--cpuset-cpus', '0', '--rlimit-nofile', '333', '--hostname', 'limited']
      const script = 'hostname; ulimit -n; grep Cpus_allowed_list /proc/self/status; cat /proc/self/cgroup'
      const { stdout } = await lab().ctr(running([...flags, ...more], 'limited', 'sh', '-c', script))
      expect(stdout).toMatch(/^limited\n333\nCpus_allowed_list:\s+0\n/)
      await using _ = await started('measured', [...flags.slice(1), ...more])
      const { stdout: metrics } = await lab().ctr(['tasks', 'metrics', 'measured'])
      expect(metrics).toMatch(/limit\S*\s+67108864/)
    })

    it('processes are run as the users of the image, by names that are looked up inside', async () => {
      const id = async (user: string) => (await lab().ctr(running(['--rm', '-u', user], 'who', 'id'))).stdout
      expect(await id('user')).toBe('uid=1000(user) gid=1000(users) groups=1000(users),2000(extra)\n')
      expect(await id('1000:2000')).toBe('uid=1000(user) gid=2000(extra) groups=2000(extra)\n')
      const absent = await lab().ctr(running(['--rm', '-u', 'nobody-there'], 'who', 'id'))
      expect([absent.code, absent.stderr]).toEqual([1, expect.stringContaining('nobody-there')])
    })

    it('B10 a rootfs whose passwd leads out of it names no users of the host', async () => {
      const rootfs = join(lab().directory, 'links')
      await mkdir(join(rootfs, 'etc'), { recursive: true })
      await writeFile(join(lab().directory, 'outside'), 'daemon:x:1:1:::\n')
      await symlink('../../outside', join(rootfs, 'etc/passwd'))
      const named = ['run', '--rm', '--rootfs', '-u', 'daemon', rootfs, 'links', 'true']
      const { code, stderr } = await lab().ctr(named)
      expect([code, stderr]).toEqual([1, expect.stringContaining('user "daemon" in /etc/passwd')])
      const numbered = ['run', '--rm', '--rootfs', '-u', '4294967296', rootfs, 'links', 'true']
      expect((await lab().ctr(numbered)).stderr).toContain('out of the range')
    })

    it('runs a directory as the root filesystem, and a spec from a file', async () => {
      const rootfs = join(lab().directory, 'rootfs')
      await mkdir(join(rootfs, 'bin'), { recursive: true })
      await runOrThrow('cp', ['/usr/bin/busybox', join(rootfs, 'bin/busybox')])
      const direct = ['run', '--rm', '--fifo-dir', lab().fifos, '--rootfs', rootfs, 'dir']
      expect((await lab().ctr([...direct, '/bin/busybox', 'echo', 'direct'])).stdout).toBe('direct\n')
      const dumped = await lab().ctr([
        'run',
        '--dump-config',
        '--rootfs',
        rootfs,
        'spec',
        '/bin/busybox',
        'pwd',
      ])
      const spec = join(lab().directory, 'config.json')
      await writeFile(spec, dumped.stdout)
      const { stdout } = await lab().ctr(['run', '--rm', '--fifo-dir', lab().fifos, '--config', spec, 'spec'])
      expect(stdout).toBe('/\n')
    })

    it('what cannot be started leaves nothing', async () => {
      const missing = await lab().ctr(running([], 'broken', '/nowhere'))
      expect([missing.code, withoutWarnings(missing.stderr)]).toEqual([
        1,
        expect.stringContaining('/nowhere'),
      ])
      const file = join(lab().directory, 'no', 'such', 'directory')
      const pid = await lab().ctr(running(['--pid-file', file], 'broken', 'true'))
      expect([pid.code, withoutWarnings(pid.stderr)]).toEqual([1, expect.stringContaining('ENOENT')])
      const image = await lab().ctr(['run', '--rm', 'example.com/absent:1', 'broken'])
      expect([image.code, image.stderr]).toEqual([1, 'ctr: image "example.com/absent:1": not found\n'])
    })

    it('a second one of the same name does not disturb the first', async () => {
      await using _ = await started('taken')
      const { code, stderr } = await lab().ctr(running(['--rm'], 'taken', 'true'))
      expect([code, withoutWarnings(stderr)]).toEqual([1, expect.stringContaining('already exists')])
      expect((await lab().ctr(['tasks', 'ls', '-q'])).stdout).toBe('taken\n')
      await lab().ctr(['tasks', 'exec', 'taken', 'test', '-x', '/bin/busybox'])
    })

    it('output goes nowhere, or where a URI says', async () => {
      const log = join(lab().directory, 'log')
      const flags = ['--rm', '--log-uri', `file://${log}`]
      expect(await lab().ctr(running(flags, 'logged', 'echo', 'logged'))).toMatchObject({
        code: 0,
        stdout: '',
      })
      expect(await readFile(log, 'utf8')).toBe('logged\n')
      const nowhere = await lab().ctr(
        running(['--rm', '--null-io'], 'silent', 'sh', '-c', 'echo said; exit 2'),
      )
      expect([nowhere.code, nowhere.stdout]).toEqual([2, ''])
      const logger = join(lab().directory, 'logger')
      // Closing the fifth descriptor says that it is ready.
      await writeFile(
        logger,
        `#!/bin/sh\nexec 5>&-\necho $CONTAINER_ID > ${log}.binary\ncat <&3 >> ${log}.binary\n`,
      )
      await chmod(logger, 0o755)
      const binary = ['--rm', '--log-uri', `binary://${logger}`]
      expect(await lab().ctr(running(binary, 'piped', 'echo', 'to it'))).toMatchObject({
        code: 0,
        stdout: '',
      })
      await expect.poll(() => readFile(`${log}.binary`, 'utf8')).toBe('piped\nto it\n')
    })

    it('a container that is not there is named', async () => {
      const { code, stderr, stdout } = await lab().ctr(['tasks', 'ps', 'absent'])
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain('container "absent" in namespace')
    })

    it('signals go to the process', async () => {
      const script = 'trap "echo got it; exit 9" TERM; echo ready; while true; do sleep 0.05; done'
      const [file, ...args] = lab().command(running(['--rm'], 'signals', 'sh', '-c', script))
      const child = spawn(file!, args, { stdio: ['ignore', 'pipe', 'ignore'] })
      let output = ''
      child.stdout.on('data', (chunk) => {
        output += chunk
      })
      await expect.poll(() => output).toBe('ready\n')
      child.kill('SIGTERM')
      const [code] = await once(child, 'close')
      expect([code, output]).toEqual([9, 'ready\ngot it\n'])
    })

    it('what nobody reads any more is ended and removed', async () => {
      const line = lab()
        .command(running(['--rm'], 'unread', 'yes'))
        .map((word) => `'${word}'`)
        .join(' ')
      const child = execFile('bash', ['-c', `${line} | head -1; exit $\{PIPESTATUS[0]}`])
      const [code] = await once(child, 'close')
      expect(code).toBe(141)
    })
  })

  describe('whatever the server', () => {
    const { lab } = useRunLab(servers['nsbox-server'], 'run-refused')

    it.each([
      [['run', '--rm', '-d', 'i', 'c'], 'flags --detach and --rm cannot be specified together'],
      [['run'], 'image ref must be provided'],
      [['run', 'image'], 'container id must be provided'],
      [['run', '--config', '/x', 'a', 'b'], 'with spec config file, only container id should be provided'],
      [['run', '--gpus', '0', 'i', 'c'], 'Not supported'],
      [['run', '--blockio-class', 'x', 'i', 'c'], 'Not supported'],
      [['run', '--null-io', '--log-uri', 'file:///x', 'i', 'c'], 'exclude each other'],
      [['run', '--memory-limit', 'much', 'i', 'c'], 'not negative'],
      [['run', '--runtime', 'other', '--runc-binary', 'x', 'i', 'c'], 'takes no options of runc'],
      [['tasks', 'kill'], 'container id must be provided'],
      [['tasks', 'kill', '-a', '--pid', '5', 'c'], 'enter one of'],
      [['tasks', 'exec', 'c'], 'command must be provided'],
      [['run', '-t', 'i', 'c'], 'a terminal'],
    ])('%j is refused: %s', async (args, why) => {
      const { code, stderr, stdout } = await lab().ctr(args)
      expect([code, stdout]).toEqual([1, ''])
      expect(stderr).toContain(why)
    })
  })
})
