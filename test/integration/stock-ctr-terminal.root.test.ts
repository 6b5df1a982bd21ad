import { TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'
import { takesSize } from './takes-size.ts'

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

  it('run -t has a terminal of the right size, which follows changes', async () => {
    const command = shell(...stock('run', '--rm', '-t', '--fifo-dir', lab.fifos, lab.image, 'run', 'sh'))
    await using terminal = await TestTerminal.start(command)
    await terminal.waitFor(/# /)
    await takesSize(terminal, { width: 87, height: 29 })
    await takesSize(terminal, { width: 61, height: 17 })
    // An interrupt is a key like any other. A shell of its own says that it is in front: between two commands of the
    // outer one, the interrupt could come before the second is there.
    terminal.type("sh -c 'echo asleep-$((1 + 1)); exec sleep 1000'\r")
    await terminal.waitFor(/asleep-2/)
    terminal.type('\x03')
    await terminal.waitFor(/asleep-2.*# /s)
    terminal.type('exit 9\r')
    await terminal.waitFor(/ended 9/)
  })

  it('exec -t and attach have one as well', async () => {
    // Stock ctr wants a terminal even where it detaches from it.
    await lab.ctr(['run', '-d', '-t', '--fifo-dir', lab.fifos, lab.image, 'kept', 'sh'])
    const exec = shell(
      ...stock('tasks', 'exec', '-t', '--exec-id', 'e', '--fifo-dir', lab.fifos, 'kept', 'sh'),
    )
    {
      await using terminal = await TestTerminal.start(exec)
      await terminal.waitFor(/# /)
      await takesSize(terminal, { width: 53, height: 19 })
      terminal.type('exit 6\r')
      await terminal.waitFor(/ended 6/)
    }
    await using terminal = await TestTerminal.start(shell(...stock('tasks', 'attach', 'kept')))
    await takesSize(terminal, { width: 47, height: 13 })
    terminal.type('exit 2\r')
    await terminal.waitFor(/ended 2/)
    await lab.stock(['containers', 'rm', 'kept'])
  })
})
