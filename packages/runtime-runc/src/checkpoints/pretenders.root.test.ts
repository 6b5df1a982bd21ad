import { readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { packAny } from '@nsbox/api'
import { CheckpointOptionsSchema } from '@nsbox/api/gen/types/runc/options/oci_pb'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CheckpointLab } from '../testing/checkpoint-lab.ts'
import { waitUntil } from '../testing/wait-until.ts'
import { hasOpen } from './has-open.ts'
import { commandLine } from './helper-processes.ts'

const needs = { root: true, linux: true, programs: ['runc', 'busybox', 'criu'] } as const

/** Nothing is added to the error: the task runs again. */
const refused = { context: 'OCI runtime checkpoint failed: refused' }

describeWith(needs, 'processes of a container that pretend', () => {
  let lab: CheckpointLab
  beforeEach(async () => {
    lab = await CheckpointLab.create()
    await lab.open()
    await lab.start()
  })
  afterEach(async () => {
    if ((await lab.tasks.list()).some(({ containerId }) => containerId === 'liar')) {
      await lab.tasks.kill('liar', 9)
      await lab.tasks.wait('liar')
      await lab.tasks.delete('liar')
    }
    await lab[Symbol.asyncDispose]()
  })

  /** Runs another container. @returns the pids of its processes, once there are `count` */
  async function startLiar(script: string, count: number): Promise<number[]> {
    const { rootfs, spec } = lab.options(script, { perl: true })
    const changed = JSON.parse(new TextDecoder().decode(spec.value))
    changed.linux.cgroupsPath += '-liar'
    const value = Buffer.from(JSON.stringify(changed))
    await lab.tasks.create('liar', { rootfs, spec: { ...spec, value } })
    await lab.tasks.start('liar')
    await waitUntil(async () => (await liars()).length === count, 'the container')
    return await liars()
  }

  async function liars(): Promise<number[]> {
    return (await lab.tasks.pids('liar')).map(({ pid }) => pid)
  }

  test('E12 to be CRIU or the runtime are left alone, and hold up nothing of another container', async () => {
    const images = join(lab.path, 'named')
    const pids = await startLiar(
      `my $path = '';
      for (split '/', substr '${images}', 1) { $path .= "/$_"; mkdir $path }
      exec '/usr/bin/perl', '-e', 'sleep 1000', '--', '--log-format', 'json', '--image-path', $path if !fork;
      open my $file, '>', "$path/dump.log"; $0 = 'criu'; sleep 1000;`,
      2,
    )
    const line = `\0--log-format\0json\0--image-path\0${images}\0`
    await waitUntil(() => pids.some((pid) => commandLine(pid).includes(line)), 'the runtime that is none')
    const claimed = () => pids.find((pid) => opened(pid).includes(join(images, 'dump.log')))
    await waitUntil(() => claimed() !== undefined, 'CRIU that is none')
    expect(hasOpen(claimed()!, [images])).toBe(false)

    await lab.runc.set('checkpoint', { fail: 'refused' })
    const options = packAny(CheckpointOptionsSchema, { exit: true, imagePath: images })
    await expect(lab.checkpoint({ options })).rejects.toMatchObject(refused)
    expect(await lab.tasks.get('x')).toMatchObject({ status: 'running' })
    await lab.counts()
    expect(await liars()).toEqual(pids)
  })

  const numbers = { x64: [9, 157], arm64: [222, 167] }[process.arch as string]
  test.runIf(numbers)('E12 to have been called with half a gibibyte keep nobody from going on', async () => {
    const [mmap, prctl] = numbers!
    const size = 2 ** 29
    // Their command line is a mapping that takes no memory: prctl(2), PR_SET_MM_MAP and struct prctl_mm_map.
    const pids = await startLiar(
      `my $at = syscall(${mmap}, 0, ${size}, 3, 0x4022, -1, 0);
      open my $file, '<', '/proc/self/stat'; my @stat = split ' ', (<$file> =~ s/.*\\)/x x/r);
      my @ends = ($at, $at + ${size}, @stat[49, 50]);
      my $map = pack('Q11QLl', @stat[25, 26, 44, 45, 46], $stat[46], $stat[27], @ends, 0, 0, -1);
      syscall(${prctl}, 35, 14, $map, length $map, 0) == 0 or die $!;
      $SIG{TERM} = 'IGNORE'; fork; sleep 1000;`,
      2,
    )
    await waitUntil(() => pids.every((pid) => commandLine(pid).startsWith('\0\0\0')), 'the command lines')
    expect(Buffer.byteLength(commandLine(pids[0]!))).toBe(65_536)
    await lab.runc.set('checkpoint', { fail: 'refused' })
    await expect(lab.checkpoint()).rejects.toMatchObject(refused)
    await lab.close()
    await lab.open()
    expect(await lab.tasks.get('x')).toMatchObject({ status: 'running' })
    await lab.counts()
  })
})

function opened(pid: number): string[] {
  const directory = `/proc/${pid}/fd`
  return readdirSync(directory).flatMap((name) => {
    try {
      return [readlinkSync(`${directory}/${name}`)]
    } catch {
      return []
    }
  })
}
