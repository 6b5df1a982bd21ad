import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { TestTerminal } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { expect, it } from 'vitest'
import { openContainerLab } from './container-lab.ts'
import { startServer } from './programs.ts'

describeWith({ root: true, programs: ['runc'] }, 'a server that dies and comes back', () => {
  it('does not disturb the commands that run containers, with or without terminals', async () => {
    await using server = await startServer()
    await using lab = await openContainerLab(server.address, 'through-restart')
    const run = ['run', '--rm', '--fifo-dir', lab.fifos]
    const script = 'echo before; read line; echo after $line; exit 6'
    const [file, ...args] = lab.command([...run, lab.image, 'plain', 'sh', '-c', script])
    const child = spawn(file!, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const closed = once(child, 'close')
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    await using terminal = await TestTerminal.start(lab.command([...run, '-t', lab.image, 'terminal', 'sh']))
    await terminal.waitFor(/# /)
    await expect.poll(() => output).toBe('before\n')
    await server.kill()
    child.stdin.end('meanwhile\n')
    terminal.type('echo still $((40 + 2))\r')
    await terminal.waitFor(/still 42/)
    await server.restart()
    terminal.type('exit 4\r')
    expect(await terminal.exited).toEqual({ code: 4, signal: null })
    const [code] = await closed
    expect([code, output]).toEqual([6, 'before\nafter meanwhile\n'])
    expect(await lab.leftovers()).toEqual([])
  })
})
