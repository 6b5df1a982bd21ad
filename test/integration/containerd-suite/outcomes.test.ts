import { expect, it } from 'vitest'
import { outcomes } from './outcomes.ts'

/** The output of tests that run at the same time, one of which writes a line without an end. */
const output = `\x16=== RUN   TestOne
\x16=== PAUSE TestOne
\x16=== RUN   TestTwo
\x16=== RUN   TestTwo/part
    two.go:1: wrong
\x16--- FAIL: TestTwo/part (0.20s)
\x16=== NAME  TestTwo
    two.go:2: worse
\x16--- FAIL: TestTwo (0.25s)
\x16=== CONT  TestOne
words\x16--- PASS: TestOne (1.00s)
\x16=== RUN   TestThree
    three.go:1: not here
\x16--- SKIP: TestThree (0.00s)
FAIL`

async function* lines() {
  yield* output.split('\n')
}

it('tells what came of each test and part, with what it has said', async () => {
  const found = []
  for await (const outcome of outcomes(lines())) found.push(outcome)
  expect(found).toEqual([
    { test: 'TestTwo/part', result: 'FAIL', seconds: 0.2, said: ['    two.go:1: wrong'] },
    { test: 'TestTwo', result: 'FAIL', seconds: 0.25, said: ['    two.go:2: worse'] },
    { test: 'TestOne', result: 'PASS', seconds: 1, said: ['words'] },
    { test: 'TestThree', result: 'SKIP', seconds: 0, said: ['    three.go:1: not here'] },
  ])
})
