import { readdirSync } from 'node:fs'
import { readFile, readlink } from 'node:fs/promises'
import type { TarEntry } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { accounts, rootfsFiles } from '../testing/accounts.ts'
import { type Bundles, makeBundles, nobody } from '../testing/bundles.ts'
import {
  hostCapabilities,
  hostDevices,
  resolveUser,
  withAmbientCapabilities,
  withAnnotations,
  withCapabilities,
  withCpuQuota,
  withCpus,
  withCwd,
  withDevices,
  withEnv,
  withHooks,
  withHostNamespace,
  withHostNetwork,
  withHostname,
  withImageConfig,
  withMaskedHardware,
  withMemoryLimit,
  withMounts,
  withNamespace,
  withNoNewPrivileges,
  withPidsLimit,
  withPrivileged,
  withReadonlyRootfs,
  withRlimit,
  withRootfsPropagation,
  withRootless,
  withUser,
  withUserNamespace,
} from './index.ts'

/** Numbers of descriptors that the runtime may have open. */
const links = [3, 4, 5, 6, 7, 8]

describeWith({ linux: true, root: true, programs: ['runc', 'busybox', 'tar'] }, 'a spec, run by runc', () => {
  let bundles: Bundles

  beforeAll(async () => {
    bundles = await makeBundles([
      { name: 'etc/passwd', content: accounts['etc/passwd'] },
      { name: 'etc/group', content: accounts['etc/group'] },
      ...links.map(
        (number): TarEntry => ({
          type: 'symlink',
          name: `srv/out${number}`,
          target: `/proc/self/fd/${number}`,
        }),
      ),
      { name: 'srv/for-others-only', mode: 0o604, gid: 3000, content: 'secret' },
    ])
  })

  afterAll(() => bundles?.[Symbol.asyncDispose]())

  /** The output of a shell in a container. */
  async function shell(script: string, ...options: Parameters<Bundles['run']>[1] & {}): Promise<string> {
    const { code, stdout, stderr } = await bundles.run(['sh', '-c', script], options)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout
  }

  const user = (name: string) => resolveUser(name, rootfsFiles(accounts))

  it('runs what the image says', async () => {
    const config = {
      user: 'web',
      env: ['WHO=image', 'MORE=1\n2'],
      entrypoint: ['sh', '-c'],
      cmd: ['id -u; id -G; pwd; echo "$WHO $MORE $PATH"'],
      workingDir: '/srv',
      labels: {},
      volumes: [],
    }
    const result = await bundles.run(
      [],
      [withEnv(['WHO=me']), withImageConfig(config, { user: await user(config.user) })],
    )
    expect(result.stdout).toBe('1000\n1001 2000 3000\n/srv\nme 1\n2 /bin:/usr/bin\n')
  })

  it('makes the working directory', async () => {
    expect(await shell('pwd', withCwd('/some/where'))).toBe('/some/where\n')
  })

  it('B18 does not get out of the container by a working directory that an image makes a link of', async () => {
    for (const number of links) {
      const { stdout } = await bundles.run(['pwd'], [withCwd(`/srv/out${number}`)])
      expect(stdout).toMatch(/^(?:\/srv\/out[0-9]+\n|)$/)
      const listed = await bundles.run(['ls', '.'], [withCwd(`/srv/out${number}`)])
      expect(listed.stdout).not.toContain('config.json')
      expect(listed.stdout).not.toContain('rootfs')
      expect(listed.stdout).not.toContain('etc')
    }
  })

  it('B11 keeps a user out of files that are denied to one of the image’s groups', async () => {
    const denied = await bundles.run(['cat', '/srv/for-others-only'], [withUser(await user('web'))])
    expect(denied).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('Permission denied'),
    })
    expect(await shell('cat /srv/for-others-only', withUser(await user('7777')))).toBe('secret')
  })

  const sets = (status: string): Record<string, bigint> =>
    Object.fromEntries(
      [...status.matchAll(/^Cap(\w+):\s*([0-9a-f]+)$/gm)].map(([, set, mask]) => [set, BigInt(`0x${mask}`)]),
    )

  it('B12 gives root the capabilities of stock ctr, and none that would be inherited', async () => {
    const mask = 0xa80425fbn
    expect(sets(await shell('cat /proc/self/status'))).toEqual({
      Inh: 0n,
      Prm: mask,
      Eff: mask,
      Bnd: mask,
      Amb: 0n,
    })
  })

  it('gives another user none, unless they are ambient', async () => {
    const web = withUser(await user('web'))
    expect(sets(await shell('cat /proc/self/status', web))).toMatchObject({
      Inh: 0n,
      Prm: 0n,
      Eff: 0n,
      Amb: 0n,
    })
    const netBind = 1n << 10n
    const ambient = await shell(
      'cat /proc/self/status',
      web,
      withAmbientCapabilities(['CAP_NET_BIND_SERVICE']),
    )
    expect(sets(ambient)).toMatchObject({ Inh: netBind, Prm: netBind, Eff: netBind, Amb: netBind })
  })

  it('gives exactly the capabilities that are named', async () => {
    const status = await shell('cat /proc/self/status', withCapabilities(['CAP_CHOWN', 'CAP_KILL']))
    expect(sets(status)).toEqual({ Inh: 0n, Prm: 33n, Eff: 33n, Bnd: 33n, Amb: 0n })
  })

  it('keeps programs from gaining privileges unless they may', async () => {
    expect(await shell('grep NoNewPrivs /proc/self/status')).toBe('NoNewPrivs:\t1\n')
    expect(await shell('grep NoNewPrivs /proc/self/status', withNoNewPrivileges(false))).toBe(
      'NoNewPrivs:\t0\n',
    )
  })

  it('hides and protects paths of the kernel', async () => {
    const said = await shell(
      `
      wc -c < /proc/timer_list
      wc -c < /proc/interrupts
      ls -A /sys/firmware | wc -l
      (echo 1 > /proc/sys/kernel/domainname) 2>&1 | grep -c 'Read-only'
      (mkdir /sys/fs/x) 2>&1 | grep -c 'Read-only'
      true
    `,
      withMaskedHardware(2),
    )
    expect(said).toBe('0\n0\n0\n1\n1\n')
  })

  it('mounts the root file system read-only', async () => {
    expect(await shell('(touch /x) 2>&1; touch /dev/shm/x /run/x', withReadonlyRootfs())).toContain(
      'Read-only',
    )
  })

  it('mounts what is asked for', async () => {
    const tmpfs = { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['size=4k', 'mode=700'] }
    expect(await shell('stat -c %a /t; grep " /t " /proc/mounts', withMounts([tmpfs]))).toMatch(
      /^700\ntmpfs .*size=4k/,
    )
  })

  it('names the host', async () => {
    expect(await shell('hostname', withHostname('some.host-1'))).toBe('some.host-1\n')
  })

  it('shares the network of the host', async () => {
    const said = await shell(
      'readlink /proc/self/ns/net; echo $HOSTNAME; cat /etc/resolv.conf',
      withHostNetwork({ hostname: 'some' }),
    )
    const expected = `${await readlink('/proc/self/ns/net')}\nsome\n${await readFile('/etc/resolv.conf', 'utf8')}`
    expect(said).toBe(expected)
  })

  it('joins a namespace', async () => {
    const said = await shell(
      'readlink /proc/self/ns/ipc',
      withNamespace('ipc', `/proc/${process.pid}/ns/ipc`),
    )
    expect(said.trim()).toBe(await readlink('/proc/self/ns/ipc'))
  })

  it('maps users', async () => {
    const mappings = [{ containerID: 0, hostID: 100_000, size: 65_536 }]
    const said = await shell(
      'id -u; cat /proc/self/uid_map',
      withUserNamespace({ uid: mappings, gid: mappings }),
    )
    expect(said).toMatch(/^0\n\s*0\s+100000\s+65536\n$/)
  })

  it('runs for a user other than root', async () => {
    const mappings = [{ containerID: 0, hostID: nobody, size: 1 }]
    const rootless = withRootless({ uidMappings: mappings, gidMappings: mappings })
    const script = 'id -u; cat /proc/self/uid_map; ls /sys | grep -c kernel; sleep 0.01 & wait'
    const options = [withUser(await user('root')), withMemoryLimit(64 << 20), rootless]
    for (const network of [[], [withHostNamespace('network')]]) {
      const { code, stdout, stderr } = await bundles.runAsNobody(
        ['sh', '-c', script],
        [...network, ...options],
      )
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/^0\n\s*0\s+65534\s+1\n1\n$/)
    }
  })

  it('limits open files, also to the greatest number there is', async () => {
    expect(await shell('ulimit -n', withRlimit('RLIMIT_NOFILE', 2048))).toBe('2048\n')
    expect(await shell('ulimit -t', withRlimit('RLIMIT_CPU', 2n ** 64n - 1n))).toBe('unlimited\n')
  })

  it('limits memory, processors and processes', async () => {
    const options = [withMemoryLimit(64 << 20), withCpus(1.5), withCpuQuota(120_000), withPidsLimit(77)]
    await bundles.create(options, async (cgroup) => {
      expect(await cgroupFile(cgroup, 'memory', ['memory.limit_in_bytes', 'memory.max'])).toBe(
        String(64 << 20),
      )
      expect(await cgroupFile(cgroup, 'cpu', ['cpu.cfs_quota_us', 'cpu.max'])).toMatch(/^120000(?: 100000)?$/)
      expect(await cgroupFile(cgroup, 'pids', ['pids.max'])).toBe('77')
    })
  })

  it('gives a device and denies the others', async () => {
    const [fuse] = await hostDevices('/dev/fuse')
    const open = 'if (: < /dev/fuse) 2> /dev/null; then echo opened; else echo denied; fi'
    const make = `mknod -m 600 /dev/fuse c ${fuse!.major} ${fuse!.minor} && ${open}`
    expect(await shell(open, withDevices([fuse!]))).toBe('opened\n')
    const denied = await bundles.run(['sh', '-c', make])
    expect(denied.stdout).not.toContain('opened')
  })

  it('takes no capability away from a privileged container', async () => {
    const capabilities = await hostCapabilities()
    const said = await shell(
      'mount -t tmpfs tmpfs /mnt && grep -c " /mnt " /proc/mounts',
      withPrivileged({ capabilities }),
      withMounts([{ destination: '/mnt', type: 'tmpfs', source: 'tmpfs' }]),
    )
    expect(said).toBe('2\n')
  })

  it('starts hooks, and takes annotations and a propagation', async () => {
    const { stdout } = await bundles.run(
      ['cat', '/run/hook'],
      [
        withHooks({ createContainer: [{ path: '/bin/sh', args: ['sh', '-c', 'echo hooked > run/hook'] }] }),
        withAnnotations({ some: 'thing' }),
        withRootfsPropagation('rslave'),
      ],
    )
    expect(stdout).toBe('hooked\n')
  })
})

/** The first existing one of these files of the cgroup, in the hierarchy of its controller or in the only one. */
async function cgroupFile(cgroup: string, controller: string, names: readonly string[]): Promise<string> {
  const tops = [`/sys/fs/cgroup/${controller}`, '/sys/fs/cgroup']
  for (const top of tops) {
    const directory = `${top}/${cgroup}`
    try {
      const name = names.find((each) => readdirSync(directory).includes(each))
      if (name) return (await readFile(`${directory}/${name}`, 'utf8')).trim()
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
  throw new Error(`no cgroup ${cgroup} with ${names.join(' or ')}`)
}
