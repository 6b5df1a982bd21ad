import { expect, test } from 'vitest'
import { parseConfiguration } from './configuration-file.ts'
import { lineOfKey } from './line-of-key.ts'

const text = [
  'root = "/r"',
  '# state = "/commented"',
  'list = [',
  '  "a", # a comment',
  ']',
  'state = "/s"',
  '[plugins."a.b"]',
  'long = """',
  'x = 1',
  '"""',
  'interval = "1s"',
  '',
].join('\n')

test.each([
  ['root', 1],
  ['list', 3],
  ['state', 6],
  ['plugins', 7],
  ['plugins long', 8],
  ['plugins interval', 11],
  ['missing', undefined],
  ['plugins x', undefined],
] as const)('the line of %s is found, across values of several lines', (key, line) => {
  const steps = key
    .split(' ')
    .flatMap((step) => (step === 'plugins' && key !== step ? [step, 'a.b'] : [step]))
  expect(lineOfKey(text, steps)).toBe(line)
  expect(lineOfKey(text.replaceAll('\n', '\r\n'), steps)).toBe(line)
})

test('E11 a document made to be searched for long is given up on', () => {
  const hostile = `key = """\n${'x\n'.repeat(100_000)}"""\nlast = 1\n`
  expect(lineOfKey(hostile, ['last'])).toBeUndefined()
})

test.each([
  ['an unknown key', 'root = "/r"\ncolour = "red"\n', ': line 2: unknown key "colour"'],
  ['an unknown key of a table', '[log]\nlevel = "info"\ncolour = 1\n', ': line 3: unknown key "log.colour"'],
  ['a wrong value', '\n[log]\n\nlevel = "loud"\n', ': line 4: key "log.level" is "loud"'],
  [
    'a wrong type',
    '[plugins."io.containerd.internal.v1.restart"]\ninterval = 5\n',
    ': line 2: key "plugins.',
  ],
  [
    'a proxy plugin',
    '[proxy_plugins.a]\ntype = "snapshot"\naddress = "/s"\n[proxy_plugins.b]\ntype = "x"\n',
    ': line 4: proxy_plugins.b',
  ],
  ['what is no TOML', 'root = "/r"\n= 1\n', ': line 2, column 1'],
])('an error tells the line of %s', (_, document, message) => {
  expect(() => parseConfiguration(document, '/etc/x.toml')).toThrow(`configuration /etc/x.toml${message}`)
})
