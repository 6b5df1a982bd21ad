// Runs the suite of containerd's client against the built nsbox-server, as root.
// `npm run test:containerd -- PATTERN --log FILE`
import { parseArgs } from 'node:util'
import { needs } from '@nsbox/testing'
import { expectedFailures } from './expected-failures.ts'
import { openSuite } from './open-suite.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { log: { type: 'string', default: '/dev/null' } },
})

const missing = needs({
  root: true,
  linux: true,
  programs: [
    ...['apt-get', 'busybox', 'containerd', 'containerd-shim-runc-v2', 'criu', 'docker-registry', 'dpkg-deb'],
    ...['go', 'lsof', 'nsenter', 'openssl', 'ps', 'runc', 'skopeo', 'unshare', 'xz'],
  ],
})
if (missing !== undefined) throw new Error(`the suite ${missing}`)

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
await using suite = await openSuite(positionals[0] ?? '.', stop)

const words = { PASS: 'passed', FAIL: 'failed', SKIP: 'skipped' } as const
const counts = { PASS: 0, FAIL: 0, SKIP: 0 }
const unfinished = new Set(suite.tests)
let unexpected = 0
for await (const { test, result, seconds, said } of suite.run(values.log)) {
  unfinished.delete(test)
  counts[result] += 1
  const reason = expectedFailures[test]
  const asExpected = (result === 'FAIL') === (reason !== undefined)
  const note = reason === undefined ? '' : asExpected ? `: as expected, it ${reason}` : ': it was to fail'
  console.log(`${words[result]} ${test} (${seconds} s)${note}`)
  if (asExpected) continue
  unexpected += 1
  console.log(said.join('\n'))
}
for (const test of unfinished) console.log(`did not end: ${test}`)
console.log(`${counts.PASS} passed, ${counts.FAIL} failed, ${counts.SKIP} skipped`)
process.exitCode = suite.tests.length > 0 && unexpected + unfinished.size === 0 ? 0 : 1
