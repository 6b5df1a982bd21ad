import { TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'

describeWith({ root: true, programs: ['ctr', 'runc'] }, 'terminals of stock ctr', () => {
  const resources = new AsyncDisposableStack()
  let lab: ContainerLab

  beforeAll(async () => {
    const { address } = resources.use(await startServer())
    lab = resources.use(await openContainerLab(address, 'stock-terminals'))
  })
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    expect(await lab.leftovers()).toEqual([])
  })

  const stock = (...args: string[]) => ['/usr/bin/ctr', '-a', lab.address, '-n', lab.namespace, ...args]
  /** At a terminal, a line in a shell that tells the exit status and keeps the terminal. */
  const shell = (...args: string[]) => ['sh', '-c', `${args.join(' ')}; echo ended $?; read wait`]

  /** Types a command until what it shows is there: a change of the size is on its way for a while. */
  async function shows(terminal: TestTerminal, keys: string, pattern: RegExp): Promise<void> {
    await expect
      .poll(
        () => {
          terminal.type(keys)
          return pattern.test(terminal.output)
        },
        { timeout: 10_000, interval: 200 },
      )
      .toBe(true)
  }

  it('run -t has a terminal of the right size, which follows changes', async () => {
    const command = shell(...stock('run', '--rm', '-t', '--fifo-dir', lab.fifos, lab.image, 'run', 'sh'))
    await using terminal = await TestTerminal.start(command)
    await terminal.waitFor(/# /)
    await terminal.resize({ width: 87, height: 29 })
    await shows(terminal, 'stty size\r', /29 87/)
    await terminal.resize({ width: 61, height: 17 })
    await shows(terminal, 'stty size\r', /17 61/)
    // An interrupt is a key like any other.
    terminal.type('sleep 1000\r')
    await terminal.waitFor(/sleep 1000/)
    terminal.type('\x03')
    terminal.type('exit 9\r')
    await terminal.waitFor(/ended 9/)
  })

  it('exec -t and attach have one as well', async () => {
    await lab.stock(['run', '-d', '-t', '--fifo-dir', lab.fifos, lab.image, 'kept', 'sh'])
    const exec = shell(
      ...stock('tasks', 'exec', '-t', '--exec-id', 'e', '--fifo-dir', lab.fifos, 'kept', 'sh'),
    )
    {
      await using terminal = await TestTerminal.start(exec)
      await terminal.waitFor(/# /)
      await terminal.resize({ width: 53, height: 19 })
      await shows(terminal, 'stty size\r', /19 53/)
      terminal.type('exit 6\r')
      await terminal.waitFor(/ended 6/)
    }
    await using terminal = await TestTerminal.start(shell(...stock('tasks', 'attach', 'kept')))
    await terminal.resize({ width: 47, height: 13 })
    await shows(terminal, 'stty size\r', /13 47/)
    terminal.type('exit 2\r')
    await terminal.waitFor(/ended 2/)
    await lab.stock(['containers', 'rm', 'kept'])
  })
})
