import { Argument, Command, Option } from 'commander'
import { expect, test } from 'vitest'
import { type CompletionOptions, completions } from './completions.ts'
import { shellWords } from './shell-words.ts'

function program(): Command {
  const wrap = new Command('wrap')
    .argument('<file>')
    .argument('[args...]')
    .option('--level <level>')
    .passThroughOptions()
  return new Command('prog')
    .option('-c, --config <file>', 'configuration')
    .option('--root [dir]', 'root')
    .version('1')
    .enablePositionalOptions()
    .addCommand(
      new Command('show')
        .alias('s')
        .description('shows')
        .addArgument(new Argument('<form>').choices(['text', 'json']))
        .addOption(new Option('--colour <when>').choices(['always', 'never'])),
    )
    .addCommand(wrap)
    .addCommand(new Command('secret'), { hidden: true })
}

const names = ['docker.io/library/a:1', 'b', '$(reboot)', '-x', 'two words', 'a;b', 'q"']

async function completed(line: string, options?: CompletionOptions): Promise<string | string[]> {
  const found = await completions(program(), shellWords(line).slice(1), options)
  return found.kind === 'words' ? found.candidates.map(({ value }) => value) : found.kind
}

test.each([
  ['prog s', ['show']],
  ['prog ', ['show', 'wrap', 'help']],
  ['prog s t', ['text']],
  ['prog show --col', ['--colour']],
  ['prog show --colour ', ['always', 'never']],
  ['prog show --colour=n', ['--colour=never']],
  ['prog show --con', ['--config']],
  ['prog --config ', 'files'],
  ['prog -c f --root=', 'directories'],
  ['prog wrap --level ', []],
  ['prog wrap ', 'files'],
  ['prog wrap f -', 'files'],
  ['prog show text more', []],
  ['prog -- -', []],
])('%j is completed by the definitions: %j', async (line, expected) => {
  expect(await completed(line)).toEqual(expected)
})

test('options of a program that stand before commands are not offered after them', async () => {
  const options = { programOptions: 'before commands' } as const
  expect(await completed('prog --con', options)).toEqual(['--config'])
  expect(await completed('prog show --con', options)).toEqual([])
})

test('a source completes arguments and values of options, and knows what was typed', async () => {
  const asked: unknown[] = []
  const options: CompletionOptions = {
    sourceOf: (place) => {
      if (place.name !== 'args' && place.name !== '--level') return undefined
      asked.push(place)
      return async (values) => {
        asked.push({ ...values })
        return ['one', 'other', 'two']
      }
    },
  }
  expect(await completed('prog -cx wrap f g o', options)).toEqual(['one', 'other'])
  expect(await completed('prog wrap --level=t', options)).toEqual(['--level=two'])
  expect(asked).toEqual([
    { path: ['wrap'], name: 'args', position: 2 },
    { config: 'x' },
    { path: ['wrap'], name: '--level', position: 0 },
    {},
  ])
})

test('E13 names that a shell would read otherwise are not offered', async () => {
  expect(await completed('prog wrap ', { sourceOf: () => async () => names })).toEqual([
    'docker.io/library/a:1',
    'b',
  ])
})
