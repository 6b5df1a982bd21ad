import { hostname } from 'node:os'
import { join } from 'node:path'
import {
  buildImage,
  busyboxLayer,
  type Containerd,
  filesLayer,
  runOrThrow,
  startContainerd,
  stockCtr,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ImageConfig, parseImageConfig } from '../image-config.ts'
import { accounts, rootfsFiles } from '../testing/accounts.ts'
import {
  bindMount,
  buildSpec,
  defaultSpec,
  encodeSpec,
  hostCapabilities,
  hostDevices,
  resolveUser,
  type SpecOption,
  withAddedCapabilities,
  withAllDevices,
  withAnnotations,
  withApparmorProfile,
  withCapabilities,
  withCgroup,
  withCpuPeriod,
  withCpuQuota,
  withCpuShares,
  withCpus,
  withCwd,
  withDefaultUnixDevices,
  withDevices,
  withDroppedCapabilities,
  withEnv,
  withHostNetwork,
  withHostname,
  withImageConfig,
  withMemoryLimit,
  withMounts,
  withNamespace,
  withNoNewPrivileges,
  withPrivileged,
  withProcessArgs,
  withRdtClass,
  withReadonlyRootfs,
  withRootfsPropagation,
  withTty,
  withUser,
  withUserNamespace,
} from './index.ts'

const config = {
  User: 'web',
  Env: ['A=1', 'PATH=/bin:/sbin'],
  Entrypoint: ['/bin/echo', 'said'],
  Cmd: ['one', 'two'],
  WorkingDir: '/tmp/',
}

describeWith(
  { linux: true, root: true, programs: ['containerd', 'ctr'] },
  'a spec, beside the one of stock ctr',
  () => {
    let directory: TempDir
    let containerd: Containerd
    let image: ImageConfig
    const reference = 'example.test/library/app:x'

    beforeAll(async () => {
      directory = await tempDir('nsbox-stock-specs')
      const layout = join(directory.path, 'layout')
      const built = await buildImage(
        layout,
        { layers: [await busyboxLayer(), filesLayer(accounts)], config },
        'x',
      )
      const bytes = new TextEncoder().encode(JSON.stringify({ rootfs: { type: 'layers' }, config }))
      image = parseImageConfig(bytes, { digest: built.manifests[0]!.config.digest as `sha256:${string}` })
      const archive = join(directory.path, 'image.tar')
      await runOrThrow('tar', ['-C', layout, '-cf', archive, '.'])
      containerd = await startContainerd()
      const args = ['images', 'import', '--base-name', 'example.test/library/app', archive]
      expect(await stockCtr(containerd.address, 'stock', args)).toMatchObject({ code: 0 })
    })

    afterAll(async () => {
      await containerd?.[Symbol.asyncDispose]()
      await directory?.[Symbol.asyncDispose]()
    })

    async function stockSpec(
      id: string,
      flags: readonly string[],
      args: readonly string[] = [],
    ): Promise<unknown> {
      const created = await stockCtr(containerd.address, 'stock', [
        'containers',
        'create',
        ...flags,
        reference,
        id,
        ...args,
      ])
      expect(created).toMatchObject({ code: 0 })
      const info = await stockCtr(containerd.address, 'stock', ['containers', 'info', id])
      return JSON.parse(info.stdout).Spec
    }

    async function ourSpec(id: string, options: readonly SpecOption[], user = config.User): Promise<unknown> {
      const spec = buildSpec(defaultSpec({ namespace: 'stock', id }), [
        withDefaultUnixDevices(),
        withImageConfig(image.config, { user: await resolveUser(user, rootfsFiles(accounts)) }),
        ...options,
      ])
      return JSON.parse(new TextDecoder().decode(encodeSpec(spec)))
    }

    it.each<[flags: string, options: readonly SpecOption[]]>([
      ['', []],
      ['--cwd /x', [withCwd('/x')]],
      ['--env A=2 --env C=3 --env D=', [withEnv(['A=2', 'C=3', 'D='])]],
      ['--annotation a=b', [withAnnotations({ a: 'b' })]],
      ['--mount type=bind,src=/tmp,dst=/host,options=rbind:ro', [withMounts([bindMount('/tmp', '/host')])]],
      ['--net-host', [withHostNetwork({ hostname: hostname() })]],
      ['--read-only', [withReadonlyRootfs()]],
      ['--tty', [withTty()]],
      ['--with-ns network:/proc/1/ns/net', [withNamespace('network', '/proc/1/ns/net')]],
      ['--with-ns cgroup:/proc/1/ns/cgroup', [withNamespace('cgroup', '/proc/1/ns/cgroup')]],
      ['--memory-limit 1000000', [withMemoryLimit(1_000_000)]],
      ['--cpu-quota 10000 --cpu-period 50000', [withCpuQuota(10_000), withCpuPeriod(50_000)]],
      ['--cap-add CAP_SYS_ADMIN', [withAddedCapabilities(['CAP_SYS_ADMIN'])]],
      ['--cap-drop CAP_CHOWN', [withDroppedCapabilities(['CAP_CHOWN'])]],
      ['--apparmor-profile some', [withApparmorProfile('some')]],
      ['--rdt-class some', [withRdtClass('some')]],
      ['--hostname some', [withHostname('some')]],
      ['--rootfs-propagation rshared', [withRootfsPropagation('rshared')]],
    ])('is the same with flags "%s"', async (flags, options) => {
      const id = `flags${flags.replace(/[^a-z0-9]+/gi, '-')}x`.slice(0, 60)
      expect(await ourSpec(id, options)).toEqual(await stockSpec(id, flags.split(' ').filter(Boolean)))
    })

    const mapping = [{ containerID: 0, hostID: 100_000, size: 65_536 }]

    it.each<[flags: string, options: readonly SpecOption[]]>([
      ['--cpus 1.5', [withCpus(1.5)]],
      ['--privileged --privileged-without-host-devices', [withPrivileged({ capabilities: [] })]],
      [
        '--uidmap 0:100000:65536 --gidmap 0:100000:65536',
        [withUserNamespace({ uid: mapping, gid: mapping })],
      ],
    ])('is the same for ctr run with flags "%s"', async (flags, options) => {
      const id = `nsbox-stock${flags.replace(/[^a-z0-9]+/gi, '-')}x`.slice(0, 40)
      // At the top, so that no directory of a namespace stays among the cgroups.
      const all = ['--cgroup', `/${id}`, '--cpu-shares', '512', ...flags.split(' ')]
      const ctr = (...args: string[]) => stockCtr(containerd.address, 'stock', args)
      try {
        // It need not start: its record stays.
        await ctr('run', '--detach', '--null-io', ...all, reference, id)
        const { Spec: stock } = JSON.parse((await ctr('containers', 'info', id)).stdout)
        const capable = flags.includes('privileged')
          ? [withCapabilities(stock.process.capabilities.bounding)]
          : []
        expect(await ourSpec(id, [withCgroup(`/${id}`), withCpuShares(512), ...options, ...capable])).toEqual(
          stock,
        )
      } finally {
        await ctr('tasks', 'delete', '--force', id)
      }
    })

    it('is the same with other arguments', async () => {
      expect(await ourSpec('args', [withProcessArgs(['ls', '-l'])])).toEqual(
        await stockSpec('args', [], ['ls', '-l']),
      )
    })

    it('is the same with new privileges allowed', async () => {
      const ours = await ourSpec('privileges', [withNoNewPrivileges(false)])
      expect(ours).toMatchObject({ process: { noNewPrivileges: false } })
      expect(await stockSpec('privileges', ['--allow-new-privs'])).not.toHaveProperty(
        'process.noNewPrivileges',
      )
    })

    it.each(['1000', 'web:extra', '5:6', 'root', '1000:extra', '7777', '007', ':5', 'web:77'])(
      'is the same for user %s',
      async (user) => {
        const id = `user${user.replace(':', '-')}`
        const ours = await ourSpec(id, [withUser(await resolveUser(user, rootfsFiles(accounts)))])
        expect(ours).toEqual(await stockSpec(id, ['--user', user]))
      },
    )

    it('is the same for a device and for a directory of devices', async () => {
      const devices = [...(await hostDevices('/dev/null')), ...(await hostDevices('/dev/net'))]
      expect(await ourSpec('devices', [withDevices(devices)])).toEqual(
        await stockSpec('devices', ['--device', '/dev/null', '--device', '/dev/net']),
      )
    })

    it('is the same if it is privileged', async () => {
      const options = [
        withPrivileged({ capabilities: await hostCapabilities() }),
        withAllDevices(await hostDevices('/dev')),
      ]
      expect(await ourSpec('privileged', options)).toEqual(await stockSpec('privileged', ['--privileged']))
    })
  },
)
