import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  buildImage,
  busyboxLayer,
  filesLayer,
  hostPlatform,
  type ImageLayer,
  type ImageSpec,
  pushImage,
  type Registry,
  runOrThrow,
} from '@nsbox/testing'

/** Accounts that the suite looks for in the image of busybox. */
const accounts = filesLayer({
  'etc/passwd': [
    'root:x:0:0:root:/root:/bin/sh',
    'sys:x:3:3:sys:/dev:/bin/false',
    'www-data:x:33:33:www-data:/var/www:/bin/false',
    '',
  ].join('\n'),
  'etc/group': 'root:x:0:\nsys:x:3:\nwww-data:x:33:\n',
})

/** Platforms of which the suite picks some, and must not get the others. */
const otherPlatforms = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
  { os: 'linux', architecture: 'arm64', variant: 'v8' },
  { os: 'linux', architecture: 'ppc64le' },
  { os: 'linux', architecture: 's390x' },
].filter(({ architecture }) => architecture !== hostPlatform.architecture)

/** That of Debian's busybox pays no heed to SIGTERM where it is the first process. */
const nc = `#!/bin/sh
trap 'exit 143' TERM
busybox nc "$@" &
wait $!
`

/**
 * Programs in the place of busybox's. The host's `sleep`, with its libraries, goes on after a checkpoint, which
 * interrupts the call that it waits in; that of busybox ends.
 */
async function programsLayer(): Promise<ImageLayer> {
  const sleep = '/usr/bin/sleep'
  const { stdout } = await runOrThrow('ldd', [sleep])
  const names = [sleep, ...(stdout.match(/\/\S+/g) ?? [])]
  const files = await Promise.all(names.map(async (name) => [name.slice(1), await readFile(name)] as const))
  const { entries } = filesLayer({ ...Object.fromEntries(files), 'bin/nc': nc })
  const executable = entries.map((entry) => ({ ...entry, mode: 0o755 }))
  return {
    entries: [
      ...executable,
      { type: 'symlink', name: 'bin/sleep', target: sleep },
      // In a root filesystem that is read-only, runc cannot make where it mounts.
      { type: 'directory', name: 'run' },
    ],
  }
}

/** Pushes what the suite pulls. @param scratch a directory for layouts */
export async function pushSuiteImages(registry: Registry, scratch: string): Promise<void> {
  const busybox = [await busyboxLayer(), await programsLayer()]
  const config = { Env: ['PATH=/bin'], Cmd: ['sh'] }
  const push = async (name: string, layers: ImageSpec['layers']) => {
    // The suite looks for blobs that another image must not have brought.
    const own = filesLayer({ 'etc/image': name })
    const others = otherPlatforms.map((platform) => ({
      layers: [filesLayer({ 'etc/image': `${name} ${platform.architecture}` })],
      config,
      platform,
    }))
    const image = await buildImage(join(scratch, name.replaceAll(/\W/g, '-')), [
      { layers: [...layers, own], config },
      ...others,
    ])
    await pushImage(image, registry, name)
  }
  await push('containerd/busybox:1.36', [...busybox, accounts])
  await push('containerd/alpine:3.14.0', [...busybox, accounts])
  await push('containerd/volume-copy-up:2.1', [
    ...busybox,
    filesLayer({ 'test_dir/test_file': 'test_content\n' }),
  ])
  await push('pause:3.6', [])
  await push('pause:3.8', [])
  await push('e2e-test-images/busybox:1.29-2', busybox)
  const ofWindows = {
    layers: [filesLayer({ file: 'of Windows' })],
    platform: { os: 'windows', architecture: 'amd64' },
  }
  const nanoserver = await buildImage(join(scratch, 'nanoserver'), [ofWindows])
  await pushImage(nanoserver, registry, 'windows/nanoserver:1809')
}
