import { expect, it } from 'vitest'
import { run } from './run.ts'

it('exports these, none of which needs a test run', async () => {
  const source = `console.log(Object.keys(await import(${JSON.stringify(new URL('index.ts', import.meta.url).href)})).sort().join(' '))`
  const { stdout, stderr } = await run(process.execPath, [
    '--import',
    import.meta.resolve('tsx'),
    '--input-type=module',
    '-e',
    source,
  ])
  expect(stderr).toBe('')
  expect(stdout.trim().split(' ')).toMatchInlineSnapshot(`
    [
      "TestTerminal",
      "buildCorpus",
      "buildImage",
      "busyboxArchive",
      "busyboxLayer",
      "busyboxRootfs",
      "compareTrees",
      "filesLayer",
      "gnuLongName",
      "hostPlatform",
      "makeOddTree",
      "needs",
      "paxHeader",
      "pushImage",
      "randomLayer",
      "rawEntry",
      "rawTar",
      "readTree",
      "readmeExample",
      "removeCgroup",
      "run",
      "runOrThrow",
      "scratchMount",
      "seededBytes",
      "startContainerd",
      "startFaultServer",
      "startProcess",
      "startRegistry",
      "stockCtr",
      "tar",
      "tempDir",
      "traceProcess",
      "traceRun",
      "turnsOf",
      "watchLeaks",
    ]
  `)
})
