import { expect, it, vi } from 'vitest'
import { describeWith } from './describe-with.ts'
import { run } from './run.ts'

/** A command line program, or a command below one, as the library of that name has it. */
interface Command {
  name(): string
  readonly options: readonly { readonly hidden: boolean; readonly flags: string }[]
  readonly commands: readonly Command[]
  createHelp(): { visibleCommands(command: Command): readonly Command[] }
  parseAsync(args: readonly string[], options: { from: 'user' }): Promise<unknown>
}

/**
 * Tests that a program prints a manual page, which is shown without a warning and tells of all that its help shows.
 *
 * @param create makes the program anew
 */
export function manualTests(create: () => Command): void {
  describeWith({ programs: ['groff'] }, `the manual page of ${create().name()}`, () => {
    it('is shown without a warning, with every command and option that help shows', async () => {
      const args = ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=200n', '-rHY=0']
      const { code, stdout, stderr } = await run('groff', args, { input: await printed(create()) })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      const words = stdout.replace(/\s+/g, ' ')
      const walk = (command: Command, path: readonly string[]) => {
        const visible = command.createHelp().visibleCommands(command)
        const below = command.commands.filter((each) => visible.includes(each))
        for (const each of below) walk(each, [...path, each.name()])
        if (below.length === 0) expect(words).toContain(` ${path.join(' ')} [options]`)
        for (const { hidden, flags } of command.options) if (!hidden) expect(words).toContain(flags)
      }
      const program = create()
      walk(program, [program.name()])
    })
  })
}

async function printed(program: Command): Promise<string> {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  try {
    await program.parseAsync(['man'], { from: 'user' })
    return write.mock.calls.map(([text]) => String(text)).join('')
  } finally {
    write.mockRestore()
  }
}
