import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { MountInfo } from '@nsbox/mount'
import { tempDir } from '@nsbox/testing'
import { describe, expect, test } from 'vitest'
import { CgroupHost, cgroupMounts } from './cgroup-host.ts'
import { parseProcessCgroups } from './process-cgroups.ts'

const mount = (type: string, mountPoint: string, superOptions: string[] = [], root = '/') =>
  ({ type, mountPoint, root, superOptions }) as unknown as MountInfo

const v1 = [
  mount('cgroup', '/sys/fs/cgroup/systemd', ['rw', 'xattr', 'name=systemd']),
  mount('cgroup', '/sys/fs/cgroup/cpu,cpuacct', ['rw', 'cpu', 'cpuacct']),
  mount('cgroup', '/sys/fs/cgroup/memory', ['rw', 'memory']),
]
const unified = mount('cgroup2', '/sys/fs/cgroup', ['rw', 'nsdelegate'])

const hostOf = (mounts: MountInfo[], own: string) =>
  new CgroupHost(cgroupMounts(mounts), parseProcessCgroups(own))
const code = (code: string) => expect.objectContaining({ code })

describe('the cgroups of a process', () => {
  test('are read by controller', () => {
    const text = '4:memory:/a\n3:cpu,cpuacct:/a b:c\n1:name=systemd:/x (deleted)\n0::/u\nnonsense\n'
    expect([...parseProcessCgroups(text)]).toEqual([
      ['memory', '/a'],
      ['cpu', '/a b:c'],
      ['cpuacct', '/a b:c'],
      ['name=systemd', '/x'],
      ['', '/u'],
    ])
  })
})

describe('a host', () => {
  const own = '3:memory:/\n2:cpu,cpuacct:/\n1:name=systemd:/system.slice/nsbox.service\n0::/\n'

  test('with a hierarchy for each controller is of version 1, also with the unified one beside them', () => {
    expect(hostOf(v1, own).version).toBe(1)
    expect(hostOf([...v1, mount('cgroup2', '/sys/fs/cgroup/unified')], own).version).toBe(1)
  })

  test('with the unified hierarchy is of version 2, also with one that has a name only', () => {
    expect(hostOf([unified], '0::/').version).toBe(2)
    expect(hostOf([unified, v1[0]!], '0::/').version).toBe(2)
  })

  test('knows the directories of a cgroup', () => {
    const cgroup = hostOf([...v1, mount('cgroup2', '/sys/fs/cgroup/unified')], own).at(
      parseProcessCgroups('3:memory:/c\n2:cpu,cpuacct:/c\n1:name=systemd:/c\n0::/c'),
    )
    expect(['memory', 'cpuacct', '', 'pids'].map((name) => cgroup.directory(name))).toEqual([
      '/sys/fs/cgroup/memory/c',
      '/sys/fs/cgroup/cpu,cpuacct/c',
      '/sys/fs/cgroup/unified/c',
      undefined,
    ])
  })

  test('that sees a part of a hierarchy only finds what is in it', () => {
    const host = hostOf(
      [mount('cgroup', '/m', ['memory'], '/docker/1'), mount('cgroup', '/p', ['pids'], '/x')],
      own,
    )
    const cgroup = host.at(parseProcessCgroups('2:memory:/docker/1/c\n1:pids:/docker/1/c\n'))
    expect(cgroup.directory('memory')).toBe('/m/c')
    expect(cgroup.directory('pids')).toBeUndefined()
  })

  test('prefers a mount that shows a whole hierarchy', () => {
    const mounts = [mount('cgroup2', '/part', [], '/a'), mount('cgroup2', '/all')]
    expect(cgroupMounts(mounts).get('')).toEqual({ mountPoint: '/all', root: '/' })
  })

  test('D14: takes no cgroup for a container’s that this process is in, or the whole host', () => {
    const host = hostOf([unified], '0::/system.slice/nsbox.service')
    for (const path of ['/', '/system.slice', '/system.slice/nsbox.service'])
      expect(() => host.at(parseProcessCgroups(`0::${path}`))).toThrow(code('failed_precondition'))
    expect(host.at(parseProcessCgroups('0::/system.slice/nsbox.service/c')).directory('')).toBe(
      '/sys/fs/cgroup/system.slice/nsbox.service/c',
    )
    expect(host.at(parseProcessCgroups('0::/system')).directory('')).toBe('/sys/fs/cgroup/system')
  })
})

describe('the cgroup that others can be made in', () => {
  /** Directories that hold these cgroups, as far as a user may write to them. */
  async function hierarchies(...writable: readonly string[]) {
    const directory = await tempDir('nsbox-cgroups')
    for (const path of writable) {
      await mkdir(join(directory.path, path), { recursive: true })
      await writeFile(join(directory.path, path, 'cgroup.procs'), '')
    }
    const at = (name: string) => join(directory.path, name)
    const separate = [mount('cgroup', at('memory'), ['memory']), mount('cgroup', at('cpu'), ['cpu'])]
    return { ...directory, separate, whole: [mount('cgroup2', at(''))] }
  }

  test('is this process’s own where each controller has a hierarchy', async () => {
    await using found = await hierarchies('memory/user', 'cpu/user')
    expect(hostOf(found.separate, '2:memory:/user\n1:cpu:/user\n').delegated()).toBe('/user')
    expect(hostOf(found.separate, '2:memory:/user\n1:cpu:/\n').delegated()).toBeUndefined()
    expect(hostOf(found.separate, '2:memory:/user/a\n1:cpu:/user/a\n').delegated()).toBeUndefined()
  })

  test('is the one above where one hierarchy has all', async () => {
    await using found = await hierarchies('user', 'user/server')
    expect(hostOf(found.whole, '0::/user/server\n').delegated()).toBe('/user')
    expect(hostOf(found.whole, '0::/user\n').delegated()).toBeUndefined()
  })

  test('is the root for root, also of a system in a user namespace', async () => {
    await using found = await hierarchies('', 'memory', 'cpu')
    expect(hostOf(found.whole, '0::/init.scope\n').delegated()).toBe('')
    expect(hostOf(found.separate, '2:memory:/\n1:cpu:/x\n').delegated()).toBe('')
  })
})
