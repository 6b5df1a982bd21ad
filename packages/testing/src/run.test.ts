import { expect, it } from 'vitest'
import { run, runOrThrow } from './run.ts'

it('gives both outputs and the exit code', async () => {
  const result = await run('sh', ['-c', 'cat; echo "$WORD" >&2; exit 3'], {
    input: 'in',
    env: { WORD: 'err' },
  })
  expect(result).toMatchObject({ stdout: 'in', stderr: 'err\n', code: 3, signal: null })
})

it('keeps bytes that are not text', async () => {
  const { stdoutBytes } = await run('printf', ['\\377\\000'])
  expect([...stdoutBytes]).toEqual([255, 0])
})

it('kills what does not end in time, even if a grandchild holds its output', async () => {
  const started = Date.now()
  await expect(run('sh', ['-c', 'echo said >&2; sleep 10 & wait'], { timeout: 200 })).rejects.toThrow(
    /200 ms; standard error: said/,
  )
  expect(Date.now() - started).toBeLessThan(8000)
})

it('stops a program that says too much', async () => {
  await expect(run('yes', [], { maxOutput: 10_000 })).rejects.toThrow(/more than 10000 bytes/)
})

it('survives a program that ends before it reads its input', async () => {
  expect(await run('true', [], { input: Buffer.alloc(1_000_000) })).toMatchObject({ code: 0 })
})

it('rejects if the program does not exist', async () => {
  await expect(run('/does/not/exist', [])).rejects.toThrow(/ENOENT/)
})

it('runOrThrow rejects with what the program said', async () => {
  await expect(runOrThrow('sh', ['-c', 'echo why >&2; exit 1'])).rejects.toThrow(/exit code 1\nwhy/)
})
