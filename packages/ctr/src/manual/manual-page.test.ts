import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { Command } from 'commander'
import { expect, it } from 'vitest'
import { ctrProgram } from '../program.ts'
import { manualPage } from './manual-page.ts'
import { roffText } from './roff-text.ts'

it('text begins no request and has no escapes of its own', () => {
  expect(roffText(".TH\n'br \\fB a-b’s")).toBe("\\&.TH\n\\&'br \\efB a\\-b\\[u2019]s")
})

it('a page has all commands of a program with their arguments and options, and no hidden ones', () => {
  const program = new Command('prog').description('does it').option('-a, --all <what>', 'all "of" it')
  const group = new Command('group').addCommand(
    new Command('do')
      .alias('d')
      .description('do it')
      .argument('<file>', 'what to do')
      .option('--fast', 'soon'),
  )
  program.addCommand(group).addCommand(new Command('secret'), { hidden: true })
  const page = manualPage(program, '1.0')
  expect(page).toContain('.SS "prog group do"\n.B "prog group do"\n[options] <file>\n.PP\nDo it.\n')
  expect(page).toContain('.TP\n.B "file"\nwhat to do\n.TP\n.B "\\-\\-fast"\nsoon\n')
  expect(page).toContain('.TP\n.B "\\-a, \\-\\-all <what>"\nall "of" it\n')
  expect(page).not.toContain('secret')
})

describeWith({ programs: ['groff'] }, 'the manual page of ctr', () => {
  it('is shown without a warning, with every command and option that help shows', async () => {
    const page = manualPage(ctrProgram(), '1.0')
    const args = ['-man', '-ww', '-Tutf8', '-P-cbou', '-rLL=200n', '-rHY=0']
    const { code, stdout, stderr } = await run('groff', args, { input: page })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const words = stdout.replace(/\s+/g, ' ')
    const walk = (command: Command, path: readonly string[]) => {
      const visible = command.createHelp().visibleCommands(command)
      const below = command.commands.filter((each) => visible.includes(each))
      for (const each of below) walk(each, [...path, each.name()])
      if (below.length === 0) expect(words).toContain(` ${path.join(' ')} [options]`)
      for (const { hidden, flags } of command.options) if (!hidden) expect(words).toContain(flags)
    }
    walk(ctrProgram(), ['ctr'])
  })
})
