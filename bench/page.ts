// Measures what pages that are open cost the server while nothing happens. See README.md.

import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openWebLab } from '../test/integration/web-lab.ts'
import { cpuTime } from './process-usage.ts'
import { quiet } from './quiet-machine.ts'

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: '30' },
    pages: { type: 'string', default: '2' },
    busy: { type: 'boolean', default: false },
  },
})
const [seconds, pages] = [options.seconds, options.pages].map(Number)

await using lab = await openWebLab('bench-page')
for (let index = 0; index < 4; index++) await lab.run(`idle-${index}`, 'exec sleep 100000')
const opened = await Promise.all(Array.from({ length: pages! }, () => lab.open()))
if (!options.busy) await quiet()
for (const view of ['containers', 'images', 'disk', 'activity', 'server']) {
  for (const page of opened) {
    await page.click(`nav a[href="#${view}"]`)
    await page.waitForSelector('main h1')
  }
  await sleep(5000)
  const before = await cpuTime(lab.server.process.pid)
  await sleep(seconds! * 1000)
  const percent = ((await cpuTime(lab.server.process.pid)) - before) / seconds! / 10
  console.log(`${view}: ${percent.toFixed(1)} % of a processor`)
}
