import { run } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { Command } from 'commander'
import { expect, it } from 'vitest'
import { manualPage } from './manual-page.ts'
import { roffText } from './roff-text.ts'

it('text begins no request and has no escapes of its own', () => {
  expect(roffText(".TH\n'br \\fB a-b’s")).toBe("\\&.TH\n\\&'br \\efB a\\-b\\[u2019]s")
})

function program(): Command {
  const program = new Command('prog').description('does it').option('-a, --all <what>', 'all "of" it')
  const group = new Command('group').addCommand(
    new Command('do')
      .alias('d')
      .description('do it')
      .argument('<file>', 'what to do')
      .option('--fast', 'soon'),
  )
  return program.addCommand(group).addCommand(new Command('secret'), { hidden: true })
}

it('a page has all commands of a program with their arguments and options, and no hidden ones', () => {
  const page = manualPage(program(), { version: '1.0' })
  expect(page).toContain('.TH "PROG" "1" "" "prog 1.0" "User Commands"\n')
  expect(page).toContain('.SS "prog group do"\n.B "prog group do"\n[options] <file>\n.PP\nDo it.\n')
  expect(page).toContain('.TP\n.B "file"\nwhat to do\n.TP\n.B "\\-\\-fast"\nsoon\n')
  expect(page).toContain('.TP\n.B "\\-a, \\-\\-all <what>"\nall "of" it\n')
  expect(page).not.toContain('secret')
})

const administrators = {
  project: 'whole',
  version: '1.0',
  section: 8,
  synopsis: '[options] [command]',
  programOptions: 'before commands',
  exitStatus: ['It may also be 7.'],
  sections: [{ title: 'files', entries: [['/etc/prog', '.rc of it']] }],
} as const

it('a page has what the definitions do not tell', () => {
  const page = manualPage(program(), administrators)
  expect(page).toContain('.TH "PROG" "8" "" "whole 1.0" "System Administration"\n')
  expect(page).toContain(
    '.SH SYNOPSIS\n.B "prog"\n[options] [command]\n.SH OPTIONS\nThey stand before a command.\n',
  )
  expect(page).toContain('.PP\nIt may also be 7.\n.SH "FILES"\n.TP\n.B "/etc/prog"\n\\&.rc of it\n')
})

describeWith({ programs: ['groff'] }, 'groff', () => {
  it('shows a page without a warning', async () => {
    const page = manualPage(program(), administrators)
    const { code, stdout, stderr } = await run('groff', ['-man', '-ww', '-Tutf8', '-P-cbou'], { input: page })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('PROG(8)')
  })
})
