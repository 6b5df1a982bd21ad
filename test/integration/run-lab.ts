import { startContainerd } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { type ContainerLab, openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'

/** Servers for the commands that run containers: by name, how to start one. */
export const servers = { containerd: startContainerd, 'nsbox-server': () => startServer() }

/** A lab whose image has a program, an environment and labels, and what runs containers of it. */
export interface RunLab {
  lab(): ContainerLab
  /** `run`, with FIFOs where leftovers are looked for, and the image before the id. */
  running(flags: readonly string[], id: string, ...program: string[]): string[]
  /** Starts a container that runs until it is killed, unless its program ends; disposing removes it. */
  started(id: string, flags?: readonly string[], program?: string[]): Promise<AsyncDisposable>
}

/** Opens a lab for the tests of a block, which leave nothing. @param name as `openContainerLab` has it */
export function useRunLab(
  start: () => Promise<AsyncDisposable & { readonly address: string }>,
  name: string,
): RunLab {
  const config = {
    Env: ['PATH=/bin', 'OF=image'],
    Cmd: ['echo', 'of the image'],
    WorkingDir: '/tmp',
    StopSignal: 'SIGUSR1',
    Labels: { fine: 'yes', 'containerd.io/restart.loguri': 'binary:///evil' },
  }
  const resources = new AsyncDisposableStack()
  let lab: ContainerLab

  beforeAll(async () => {
    const { address } = resources.use(await start())
    lab = resources.use(await openContainerLab(address, name, config))
  })
  afterAll(() => resources.disposeAsync())
  afterEach(async () => {
    expect(await lab.leftovers()).toEqual([])
  })

  const running: RunLab['running'] = (flags, id, ...program) => [
    ...['run', '--fifo-dir', lab.fifos, ...flags, lab.image, id, ...program],
  ]
  return {
    lab: () => lab,
    running,
    async started(id, flags = [], program = ['sleep', '1000']) {
      const { code, stderr } = await lab.ctr(running(['-d', ...flags], id, ...program))
      expect([code, withoutWarnings(stderr)]).toEqual([0, ''])
      return {
        [Symbol.asyncDispose]: async () => {
          await lab.stock(['tasks', 'rm', '-f', id])
          await lab.stock(['containers', 'rm', id])
        },
      }
    },
  }
}

/** Without what is said of the labels of the image. */
export function withoutWarnings(stderr: string): string {
  return stderr.replace(/^ctr: label .* is left out: .*\n/gm, '')
}
