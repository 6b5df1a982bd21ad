import { completions, shellWords } from '@nsbox/command-line'
import { expect, test } from 'vitest'
import { ctrProgram } from '../program.ts'
import { objectWords } from './object-words.ts'

const names = ['docker.io/library/a:1', 'b', '$(reboot)', '-x', 'two words', 'a;b', 'q"']
let asked: unknown[] = []

/** What can stand for the last word of a line: the words, or which kind of file. */
async function completed(line: string): Promise<string | string[]> {
  asked = []
  const sourceOf = objectWords(async (kind, values) => {
    asked.push(kind, { ...values })
    return names
  })
  const found = await completions(ctrProgram(), shellWords(line).slice(1), { sourceOf })
  return found.kind === 'words' ? found.candidates.map(({ value }) => value) : found.kind
}

test.each([
  ['ctr imag', ['images']],
  ['ctr i convert x y --no-l', []],
  ['ctr images pr', ['prune']],
  ['ctr i -', expect.arrayContaining(['--help', '--address', '-a'])],
  ['ctr t ls --js', ['--json']],
  ['ctr tasks ls --addr', ['--address']],
  // What is taken for itself by a command is not that of the program.
  ['ctr t kill -a --al', ['--all']],
  ['ctr deprecations ls --format ', ['default', 'json']],
  ['ctr deprecations ls --format=j', ['--format=json']],
  ['ctr deprecations ls --format j', ['json']],
  ['ctr completion ', ['bash', 'zsh', 'fish']],
  ['ctr --tls-ca ', 'files'],
  ['ctr run --env-file=', 'files'],
  ['ctr run --fifo-dir ', 'directories'],
  ['ctr images import ', 'files'],
  ['ctr images mount image ', 'directories'],
  ['ctr run image id ', 'files'],
  ['ctr run image id sh -', 'files'],
  ['ctr --timeout ', []],
  ['ctr version ', []],
  ['ctr __c', []],
  // Refused options of stock ctr are not offered.
  ['ctr logs --s', ['--snapshotter']],
])('%s is completed by the definitions: %j', async (line, expected) => {
  expect(await completed(line)).toEqual(expected)
  expect(asked).toEqual([])
})

test.each([
  ['ctr -n k8s.io -a/run/x.sock c rm one d', 'container', { namespace: 'k8s.io', address: '/run/x.sock' }],
  ['ctr logs -f --namespace=x d', 'container', { namespace: 'x' }],
  ['ctr images rm d', 'image', {}],
  ['ctr run --rm d', 'image', {}],
  ['ctr -n d', 'namespace', {}],
  ['ctr leases rm d', 'lease', {}],
])('%s is completed by names of the server: %s', async (line, kind, values) => {
  expect(await completed(line)).toEqual(['docker.io/library/a:1'])
  expect(asked).toEqual([kind, values])
})

test('E13 names that a shell would read otherwise are not offered', async () => {
  expect(await completed('ctr images rm ')).toEqual(['docker.io/library/a:1', 'b'])
})
