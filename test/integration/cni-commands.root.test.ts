import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow, startContainerd, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'

const servers = { containerd: startContainerd, 'nsbox-server': () => startServer() }

describeWith({ root: true, programs: ['containerd', 'runc', 'criu'] }, 'networks of containers', () => {
  describe.each(Object.entries(servers))('against %s', (server, start) => {
    const resources = new AsyncDisposableStack()
    const bridge = `nsbox${process.pid}`.slice(0, 15)
    let lab: ContainerLab
    let env: Record<string, string>
    let allocations: string

    beforeAll(async () => {
      const directory = resources.use(await tempDir('nsbox-networks')).path
      const { address } = resources.use(await start())
      lab = resources.use(await openContainerLab(address, `cni-${server}`))
      const networks = join(directory, 'net.d')
      allocations = join(directory, 'addresses')
      await mkdir(networks)
      const ipam = { type: 'host-local', subnet: '10.213.7.0/24', dataDir: allocations }
      const plugins = [
        { type: 'bridge', bridge, isGateway: true, ipam },
        { type: 'portmap', capabilities: { portMappings: true } },
      ]
      await writeFile(
        join(networks, '10-test.conflist'),
        JSON.stringify({ cniVersion: '1.0.0', name: bridge, plugins }),
      )
      env = { NETCONFPATH: networks, CNI_PATH: '/usr/lib/cni' }
      // The plugin leaves its bridge for other containers.
      resources.defer(async () => {
        await runOrThrow('busybox', ['ip', 'link', 'del', 'dev', bridge])
      })
    })
    afterAll(() => resources.disposeAsync())

    const running = (flags: readonly string[], id: string, ...program: string[]) => [
      ...['run', '--cni', '--fifo-dir', lab.fifos, ...flags, lab.image, id, ...program],
    ]
    /** The addresses that are given to containers. */
    const given = async () =>
      (await readdir(join(allocations, bridge))).filter((name) => /^\d+\.\d+\.\d+\.\d+$/.test(name))
    /** The interfaces of the bridge. */
    const ports = () => readdir(join('/sys/class/net', bridge, 'brif'))
    const results = async () =>
      (await readdir('/var/lib/cni/results').catch(() => [])).filter((name) =>
        name.includes(`${lab.namespace}--`),
      )

    it('a container has an address, a way to the host, and itself', async () => {
      const script = 'ip -4 -o addr; ip route; ping -c 1 -W 5 127.0.0.1; ping -c 1 -W 5 10.213.7.1'
      const { code, stdout, stderr } = await lab.ctr(running(['--rm'], 'once', 'sh', '-c', script), { env })
      expect([code, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/lo\s+inet 127\.0\.0\.1\/8/)
      expect(stdout).toMatch(/eth0\s+inet 10\.213\.7\.\d+\/24/)
      expect(stdout.match(/1 packets received/g)).toHaveLength(2)
      expect([await given(), await ports(), await results(), await lab.leftovers()]).toEqual([[], [], [], []])
    })

    it('containers reach each other, until their tasks are removed', async () => {
      const serve = 'echo served > /tmp/index; httpd -f -p 80 -h /tmp'
      const started = await lab.ctr(running(['-d'], 'serving', 'sh', '-c', serve), { env })
      expect([started.code, started.stderr]).toEqual([0, ''])
      const [address] = await given()
      const fetch = `until wget -q -O - http://${address}/index; do sleep 0.1; done`
      const { stdout } = await lab.ctr(running(['--rm'], 'asking', 'sh', '-c', fetch), { env })
      expect(stdout).toBe('served\n')
      expect(await given()).toEqual([address])
      await lab.ctr(['tasks', 'rm', '-f', 'serving'], { env })
      expect([await given(), await ports(), await results()]).toEqual([[], [], []])
      // A second task of the same container is connected as well.
      await lab.ctr(['tasks', 'start', '-d', '--fifo-dir', lab.fifos, 'serving'], { env })
      expect(await given()).toHaveLength(1)
      await lab.ctr(['tasks', 'rm', '-f', 'serving'], { env })
      await lab.stock(['containers', 'rm', 'serving'])
      expect([await given(), await lab.leftovers()]).toEqual([[], []])
    })

    it('copies of a container have addresses of their own, and can reach others', async () => {
      const wait =
        'until [ -e /go ]; do usleep 50000; done; ping -c 1 -W 5 10.213.7.1 > /said; tail -f /dev/null'
      const started = await lab.ctr(running(['-d', '--null-io'], 'box', 'sh', '-c', wait), { env })
      expect([started.code, started.stderr]).toEqual([0, ''])
      const forked = await lab.ctr(['containers', 'fork', '--count', '2', 'box'], { env })
      expect([forked.code, forked.stdout, forked.stderr]).toEqual([0, 'box-1\nbox-2\n', ''])
      expect(await given()).toHaveLength(3)
      const exec = ['tasks', 'exec', '--fifo-dir', lab.fifos, '--exec-id', 'go', 'box-2']
      await lab.ctr([...exec, 'touch', '/go'], { env })
      const said = async () => (await lab.ctr([...exec, 'cat', '/said'], { env })).stdout
      await expect.poll(said).toContain('1 packets received')
      const broken = { ...env, NETCONFPATH: lab.fifos }
      const unconnected = await lab.ctr(['containers', 'fork', '--prefix', 'none', 'box'], { env: broken })
      expect([unconnected.code, unconnected.stderr]).toEqual([
        1,
        expect.stringContaining('no network config'),
      ])
      for (const id of ['box', 'box-1', 'box-2']) {
        await lab.ctr(['tasks', 'rm', '-f', id], { env })
        await lab.ctr(['containers', 'rm', id], { env })
      }
      expect([await given(), await ports(), await results(), await lab.leftovers()]).toEqual([[], [], [], []])
    })

    it('what cannot be connected leaves nothing', async () => {
      const broken = { ...env, CNI_PATH: join(lab.directory, 'nowhere') }
      const missing = await lab.ctr(running([], 'broken', 'true'), { env: broken })
      expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('CNI plugin loopback in')])
      const none = await lab.ctr(running([], 'broken', 'true'), { env: { ...env, NETCONFPATH: lab.fifos } })
      expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no network config found in')])
      const both = await lab.ctr(running(['--net-host'], 'broken', 'true'), { env })
      expect([both.code, both.stderr]).toEqual([1, expect.stringContaining('exclude each other')])
      expect([await given(), await results(), await lab.leftovers()]).toEqual([[], [], []])
    })
  })
})
