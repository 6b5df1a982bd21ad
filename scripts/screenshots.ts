// Takes pictures of the page in dark and light, on a wide and a narrow screen:
//   npm run screenshots -- DIRECTORY
// Needs root, for the containers that the pictures show.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openWebLab } from '../test/integration/web-lab.ts'

const [directory] = process.argv.slice(2)
if (directory === undefined) throw new Error('usage: npm run screenshots -- DIRECTORY')
await mkdir(directory, { recursive: true })

const views = ['containers', 'images', 'disk', 'activity', 'server']
const busy = 'i=0; while :; do i=$((i+1)); echo "request $i"; [ $((i % 4000)) = 0 ] && sleep 1; done'

await using lab = await openWebLab('shop')
await lab.run('checkout', 'while :; do echo paid; sleep 2; done')
await lab.run('search', busy)
await lab.run('mail', 'exec sleep 100000')
await lab.run('import', 'exit 3')
await lab.client.tasks.pause('mail')
await lab.client.container('checkout').fork({ count: 2 })
await lab.client.withNamespace('build').pull(lab.images.there, { unpack: {} })
await lab.client.withNamespace('build').pull(lab.images.here, { unpack: {} })

for (const scheme of ['light', 'dark'] as const) {
  for (const width of [1280, 400]) {
    const page = await lab.open()
    await page.emulateMedia({ colorScheme: scheme })
    await page.setViewportSize({ width, height: width === 400 ? 860 : 800 })
    for (const view of views) {
      await page.click(`nav a[href="#${view}"]`)
      await page.waitForSelector('main h1')
      // The plots begin with their second point.
      await page.waitForTimeout(view === 'containers' ? 9_000 : 3_500)
      await page.screenshot({ path: join(directory, `${view}-${scheme}-${width}.png`), fullPage: true })
    }
    await page.context().close()
  }
}
