import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type LaunchPaths, type LaunchRequest, openSupervisor, type Supervisor } from '@nsbox/supervisor'
import { makeFifo } from '@nsbox/sys/descriptors'
import { readFifo, runOrThrow, type TempDir, tempDir } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type BundleSpec, busyboxBundle, testProcess } from './testing/busybox-bundle.ts'
import { waitUntil } from './testing/wait-until.ts'

describeWith({ linux: true, root: true, programs: ['runc', 'busybox'] }, 'containers', () => {
  let dir: TempDir
  let supervisor: Supervisor
  let files = 0
  const ids: string[] = []
  beforeEach(async () => {
    dir = await tempDir()
    supervisor = await openSupervisor({ directory: join(dir.path, 's') })
  })
  afterEach(async () => {
    for (const id of ids.splice(0)) await runc('delete', '--force', id)
    for (const process of supervisor.processes()) await process.release()
    const pid = supervisorPid()
    await supervisor[Symbol.asyncDispose]()
    await ended(pid)
    await dir[Symbol.asyncDispose]()
  })

  const supervisorPid = () => {
    const [name] = readdirSync(join(dir.path, 's'))
    return JSON.parse(readFileSync(join(dir.path, 's', name!, 'process'), 'utf8')).pid as number
  }
  const root = () => join(dir.path, 'runc')
  const runc = (...args: string[]) => runOrThrow('runc', ['--root', root(), ...args])
  const newFifo = () => {
    const path = join(dir.path, `f${++files}`)
    makeFifo(path, 0o600)
    return path
  }

  /** Creates a container, which waits for its start. */
  async function create(options: Omit<BundleSpec, 'cgroupsPath'>, io: Partial<LaunchRequest>) {
    const id = `nsbox-sup-${process.pid}-${++files}`
    ids.push(id)
    const bundle = join(dir.path, id)
    mkdirSync(bundle)
    await busyboxBundle(bundle, { ...options, cgroupsPath: `/${id}` })
    const command = (paths: LaunchPaths) => [
      'runc',
      '--root',
      root(),
      'create',
      '--bundle',
      bundle,
      ...named(paths),
      id,
    ]
    const container = await supervisor.launch({
      key: id,
      command,
      terminal: options.terminal ?? false,
      ...io,
    })
    return { id, container }
  }

  /** Runs another process in a container. */
  function exec(
    id: string,
    options: { args: readonly string[]; terminal?: boolean },
    io: Partial<LaunchRequest> = {},
  ) {
    const file = join(dir.path, `process${++files}.json`)
    writeFileSync(file, JSON.stringify(testProcess(options)))
    const tty = options.terminal ? ['--tty'] : []
    const command = (paths: LaunchPaths) => [
      ...['runc', '--root', root(), 'exec', '--detach', ...tty, '--process', file],
      ...[...named(paths), id],
    ]
    const key = `${id}/${++files}`
    return supervisor.launch({ key, command, terminal: options.terminal ?? false, ...io })
  }

  test('a terminal is relayed both ways, has the size that it is given, and outlives supervisors', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const args = ['sh', '-c', 'stty -echo; echo ready; while read line; do echo "got $line"; stty size; done']
    const { id, container } = await create({ args, terminal: true }, { stdin, stdout })
    await runc('start', id)
    await expect.poll(reader.text).toBe('ready\r\n')
    container.resize({ width: 132, height: 43 })
    writeFileSync(stdin, 'one\n')
    await expect.poll(reader.text).toBe('ready\r\ngot one\r\n43 132\r\n')
    const killed = supervisorPid()
    process.kill(killed, 'SIGKILL')
    await ended(killed)
    container.resize({ width: 80, height: 25 })
    writeFileSync(stdin, 'two\n')
    await expect.poll(reader.text).toContain('got two\r\n25 80\r\n')
    expect(existsSync(`/proc/${container.pid}`)).toBe(true)
    // A terminal's input has no end: closing it only stops what is read for it.
    await container.closeStdin()
    expect(container.ended).toBeUndefined()
    await runc('kill', id, 'KILL')
    expect(await container.exit).toMatchObject({ exitStatus: 137 })
    await container.drained
    await reader.ended
    expect(() => container.resize({ width: 1, height: 1 })).toThrow(
      expect.objectContaining({ code: 'not_found' }),
    )
  })

  test('much output of a terminal all comes, and much input at once is not lost', async () => {
    const [stdin, stdout] = [newFifo(), newFifo()]
    const reader = readFifo(stdout)
    const script =
      'stty raw -echo; echo ready; head -c 200000 | wc -c; i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo $i; done'
    const { id, container } = await create({ args: ['sh', '-c', script], terminal: true }, { stdin, stdout })
    await runc('start', id)
    await expect.poll(reader.text).toContain('ready')
    await runOrThrow('sh', ['-c', `head -c 200000 /dev/zero >${stdin}`])
    await container.drained
    const numbers = Array.from({ length: 20_000 }, (_, index) => `${index + 1}\n`).join('')
    expect(await reader.ended).toMatch(/^ready\r?\n200000\n/)
    expect((await reader.ended).endsWith(numbers)).toBe(true)
  })

  test('an exec gets a terminal or pipes of its own, and its end is told, however fast it is', async () => {
    const { id, container } = await create({ args: ['sleep', '600'] }, {})
    await runc('start', id)
    const stdout = newFifo()
    const reader = readFifo(stdout)
    const shown = await exec(id, { args: ['tty'], terminal: true }, { stdout })
    expect(await shown.exit).toMatchObject({ exitStatus: 0 })
    expect(await reader.ended).toBe('/dev/pts/0\r\n')
    const fast = await Promise.all(
      Array.from(
        { length: 20 },
        async (_, index) => (await exec(id, { args: ['sh', '-c', `exit ${index}`] })).exit,
      ),
    )
    expect(fast.map(({ exitStatus }) => exitStatus)).toEqual(fast.map((_, index) => index))
    await expect(exec(id, { args: ['/nonexistent'] })).rejects.toMatchObject({ details: { exitCode: 255 } })
    container.signal(9)
    expect(await container.exit).toMatchObject({ exitStatus: 137 })
  })

  test('B18 a container sees three descriptors, none of them the host’s', async () => {
    const stdout = newFifo()
    const reader = readFifo(stdout)
    const { id, container } = await create({ args: ['ls', '-l', '/proc/self/fd'] }, { stdout })
    await runc('start', id)
    await container.drained
    const links = (await reader.ended).split('\n').flatMap(
      (line) =>
        line
          .match(/(\d+) -> (.*)/)
          ?.slice(1, 3)
          .join(' ') ?? [],
    )
    expect(links).toEqual(['0 /dev/null', expect.stringMatching(/^1 pipe:/), '2 /dev/null'])
  })

  test('a process that is not root may open its output again', async () => {
    const stdout = newFifo()
    const reader = readFifo(stdout)
    const script = 'echo out >/dev/stdout; echo err >/proc/self/fd/2; id -u'
    const owner = { uid: 1000, gid: 1000 }
    const { id, container } = await create(
      { args: ['sh', '-c', script], uid: 1000 },
      { stdout, stderr: stdout, owner },
    )
    await runc('start', id)
    expect(await container.exit).toMatchObject({ exitStatus: 0 })
    expect((await reader.ended).split('\n').sort()).toEqual(['', '1000', 'err', 'out'])
  })

  test('orphans of a container without process ids of its own are waited for', async () => {
    const script = 'for i in 1 2 3; do (sleep 0.$i) & done; exit 3'
    const { id, container } = await create({ args: ['sh', '-c', script], namespaces: ['ipc', 'uts'] }, {})
    await runc('start', id)
    expect(await container.exit).toMatchObject({ exitStatus: 3 })
    const pid = supervisorPid()
    await expect.poll(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')).toBe('')
  })
})

function named({ pidFile, consoleSocket }: LaunchPaths): string[] {
  return ['--pid-file', pidFile, ...(consoleSocket === undefined ? [] : ['--console-socket', consoleSocket])]
}

const ended = (pid: number) => waitUntil(() => !existsSync(`/proc/${pid}`), `the end of ${pid}`)
