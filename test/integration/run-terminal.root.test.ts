import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { describe, expect, it } from 'vitest'
import { servers, useRunLab } from './run-lab.ts'
import { useShell } from './shell-at-terminal.ts'

describeWith({ root: true, programs: ['containerd', 'ctr', 'runc'] }, 'containers at a terminal', () => {
  describe.each(Object.entries(servers))('against %s', (server, start) => {
    const { lab, running, started } = useRunLab(start, `run-terminal-${server}`)

    it('a terminal is raw meanwhile, tells its size and is given back with the exit status', async () => {
      const shell = lab()
        .command(running(['--rm', '-t'], 'terminal', 'sh', '-c', "'stty size; exec sh'"))
        .join(' ')
      const script = `read go; ${shell}; echo ended $?; read wait`
      await using terminal = await TestTerminal.start(['sh', '-c', script])
      await terminal.resize({ width: 91, height: 33 })
      terminal.type('\r')
      await terminal.waitFor(/33 91/)
      await terminal.waitFor(/# /)
      expect(await terminal.isRaw()).toBe(true)
      terminal.type('stty size; tty; echo $TERM\r')
      await terminal.waitFor(/33 91\s+\/dev\/pts\/0\s+xterm/)
      await useShell(terminal)
    })

    it('a task goes on when its terminal is taken away, and another one is attached to it', async () => {
      await using _ = {
        [Symbol.asyncDispose]: async () => {
          await lab().stock(['tasks', 'rm', '-f', 'kept'])
          await lab().stock(['containers', 'rm', 'kept'])
        },
      }
      {
        await using first = await TestTerminal.start(lab().command(running(['-t'], 'kept', 'sh')))
        await first.waitFor(/# /)
        first.type('kept=value\r')
        await first.waitFor(/kept=value/)
      }
      const attach = lab().command(['tasks', 'attach', 'kept']).join(' ')
      await using second = await TestTerminal.start(['sh', '-c', `${attach}; echo ended $?; read wait`])
      await second.resize({ width: 44, height: 11 })
      await expect
        .poll(async () => {
          second.type('echo has $kept; stty size\r')
          return /has value\s+11 44/.test(second.output)
        })
        .toBe(true)
      second.type('exit 4\r')
      await second.waitFor(/ended 4/)
      expect(await second.isRaw()).toBe(false)
    })

    it('a signal from outside gives the terminal back and, with --rm, ends the task', async () => {
      const shell = lab()
        .command(running(['--rm', '-t'], 'ended', 'sh'))
        .join(' ')
      const file = join(lab().directory, 'pid-of-ctr')
      const script = `sh -c 'echo $$ > ${file}; exec ${shell}'; echo code $?; read x`
      await using terminal = await TestTerminal.start(['sh', '-c', script])
      await terminal.waitFor(/# /)
      process.kill(Number(await readFile(file, 'utf8')), 'SIGTERM')
      await terminal.waitFor(/code 143/)
      expect(await terminal.isRaw()).toBe(false)
    })

    it('another process gets a terminal as well', async () => {
      await using _ = await started('shared')
      const shell = lab()
        .command(['tasks', 'exec', '-t', '--fifo-dir', lab().fifos, 'shared', 'sh'])
        .join(' ')
      await using terminal = await TestTerminal.start(['sh', '-c', `${shell}; echo ended $?; read wait`])
      await terminal.resize({ width: 55, height: 12 })
      await terminal.waitFor(/# /)
      // The size is on its way.
      await expect
        .poll(() => {
          terminal.type('stty size\r')
          return terminal.output.includes('12 55')
        })
        .toBe(true)
      terminal.type('tty; exit 8\r')
      await terminal.waitFor(/\/dev\/pts\/\d+/)
      await terminal.waitFor(/ended 8/)
      expect(await terminal.isRaw()).toBe(false)
    })
  })
})
