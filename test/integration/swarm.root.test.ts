import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  buildImage,
  busyboxLayer,
  fencedBlocks,
  pushImage,
  runOrThrow,
  startRegistry,
  type TempDir,
  tempDir,
} from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { type EngineLab, engineNeeds, openConfiguredEngine } from './docker-engine.ts'
import { openNodeNetwork } from './node-network.ts'

const document = new URL('../../docs/swarm.md', import.meta.url)
const nodes = { node1: '192.0.2.1', node2: '192.0.2.2', node3: '192.0.2.3' } as const
const registryAddress = '192.0.2.5'

const buildx = '/usr/libexec/docker/cli-plugins/docker-buildx'
const programs = [...engineNeeds.programs, 'ip', 'nsenter', 'unshare', 'bash', buildx]

describeWith({ ...engineNeeds, programs, vxlan: true }, 'a swarm of three engines', () => {
  const resources = new AsyncDisposableStack()
  const labs = new Map<string, EngineLab>()
  let directory: TempDir

  beforeAll(async () => {
    directory = resources.use(await tempDir('nsbox-swarm'))
    const storageDir = join(directory.path, 'registry')
    await pushBusybox(storageDir)
    const network = resources.use(await openNodeNetwork(registryAddress, nodes))
    const place = { address: registryAddress, port: 5000, within: network.within('bridge') }
    resources.use(await startRegistry({ storageDir, ...place }))
    const config = JSON.parse((await blocks()).find(({ language }) => language === 'json')!.text)
    const opened = Object.entries(nodes).map(async ([name, address]) => {
      const within = [...network.within(name), ...named(name)]
      labs.set(address, resources.use(await openConfiguredEngine({ config, within })))
    })
    // None may come to be after what is to be disposed of has been.
    const failed = (await Promise.allSettled(opened)).filter(({ status }) => status === 'rejected')
    expect(failed).toEqual([])
  }, 120_000)
  afterAll(() => resources.disposeAsync(), 120_000)

  /** Runs a command of the document, and returns what it printed. */
  async function told(command: string, timeout: number): Promise<string> {
    const socket = (address: string) => labs.get(address)!.env.DOCKER_HOST!
    const here = command.replaceAll(/ssh:\/\/root@([\d.]+)/g, (_, address) => socket(address))
    const env = { DOCKER_CONFIG: join(directory.path, 'client'), DOCKER_HOST: undefined }
    const options = { env, cwd: directory.path, timeout }
    return (await runOrThrow('bash', ['-euo', 'pipefail', '-c', here], options)).stdout
  }

  const tasks = async ({ client }: EngineLab) =>
    (await client.tasks.list()).map(({ containerId, pid }) => `${containerId} ${pid}`)
  let before: string[] = []
  /** Does what the document has systemd do on a node. */
  const systemctl: Record<string, (lab: EngineLab) => Promise<void>> = {
    'kill --kill-whom main --signal KILL nsbox': async (lab) => {
      before = await tasks(lab)
      await lab.server.kill()
    },
    'start nsbox': async (lab) => {
      await lab.server.restart()
      expect(await tasks(lab)).toEqual(expect.arrayContaining(before))
    },
  }

  async function execute(command: string): Promise<void> {
    const [, address, change] = /^ssh root@([\d.]+) systemctl (.*)$/.exec(command) ?? []
    if (address === undefined) await told(command, 120_000)
    else await systemctl[change!]!(labs.get(address)!)
  }

  it('does what docs/swarm.md says, on a server each, and leaves nothing in them', async () => {
    const all = await blocks()
    for (const [index, { language, text }] of all.entries()) {
      if (language === 'dockerfile') await writeFile(join(directory.path, 'Dockerfile'), text)
      if (language !== 'sh') continue
      const commands = text.trimEnd().replaceAll('\\\n', '').split('\n')
      const next = all[index + 1]
      const repeated = next?.language === 'text' ? commands.pop() : undefined
      for (const command of commands) await execute(command)
      if (repeated === undefined) continue
      const prints = async () => expect(await told(repeated, 20_000), repeated).toBe(next!.text)
      await vi.waitFor(prints, { timeout: 90_000, interval: 500 })
    }
    for (const lab of labs.values()) await expect.poll(() => lab.leftovers()).toEqual([])
  }, 300_000)
})

async function blocks() {
  const found = fencedBlocks(await readFile(document, 'utf8'))
  // Nothing stands in the document that is not looked at.
  const known = ['json', 'dockerfile', 'sh', 'text']
  expect(found.filter(({ language }) => !known.includes(language))).toEqual([])
  return found
}

/** What starts a program on a host of another name. */
function named(name: string): string[] {
  return ['unshare', '--uts', 'sh', '-c', 'echo "$0" > /proc/sys/kernel/hostname && exec "$@"', name]
}

/** Puts an image into what will be a registry's storage. */
async function pushBusybox(storageDir: string): Promise<void> {
  await using layout = await tempDir('nsbox-layout')
  const config = { Env: ['PATH=/bin'] }
  const image = await buildImage(layout.path, { layers: [await busyboxLayer()], config })
  await using registry = await startRegistry({ storageDir })
  await pushImage(image, registry, 'busybox:latest')
}
