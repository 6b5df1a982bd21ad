import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { connect } from '@nsbox/client'
import { needs } from '@nsbox/testing'
import { AsyncDisposableStack } from '@whatwg-node/disposablestack'
import type { Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startServer, type TestServer } from './programs.ts'
import { openWebLab, type WebLab } from './web-lab.ts'

const programs = ['busybox', 'chromium', 'criu', 'docker-registry', 'runc', 'skopeo']
const missing = needs({ root: true, linux: true, programs })

const namespace = 'web-page'

/** Milliseconds that anything on the page may take on a slow machine. */
const patience = 60_000

describe.skipIf(missing)('the page in a browser', () => {
  const resources = new AsyncDisposableStack()
  let lab: WebLab
  let readOnly: TestServer
  let page: Page
  /** What any page has asked for, and what browsers complained of. */
  const requests = new Set<string>()
  const complaints: string[] = []

  const watch = (opened: Page) => {
    opened.setDefaultTimeout(patience)
    opened.on('request', (request) => requests.add(new URL(request.url()).origin))
    opened.on('pageerror', (error) => complaints.push(error.message))
    opened.on('console', (message) => {
      if (/Content Security Policy/.test(message.text())) complaints.push(message.text())
    })
  }

  beforeAll(async () => {
    lab = resources.use(await openWebLab(namespace))
    readOnly = resources.use(await startServer({ args: ['--web', '127.0.0.1:0'] }))
    await lab.run('talks', 'echo first; trap "exit 4" TERM; while :; do sleep 0.2; done')
    page = await lab.open({ prepare: watch })
  })
  afterAll(() => resources.disposeAsync())

  const view = async (name: string) => {
    await page.getByRole('navigation').getByRole('link', { name, exact: true }).click()
    await page.getByRole('heading', { level: 1, name }).waitFor()
  }
  const row = (name: string) =>
    page.getByRole('row').filter({ has: page.locator('th').getByText(name, { exact: true }) })
  const act = (name: string) => page.getByRole('button', { name, exact: true })
  const dialog = () => page.getByRole('dialog')
  const text = (locator: Locator, wanted: string | RegExp) =>
    expect.poll(() => locator.textContent(), { timeout: patience }).toMatch(wanted)

  it('shows a container with its state, image, processor use and memory', async () => {
    await text(row('talks'), /running/)
    await text(row('talks'), lab.images.here)
    await row('talks').getByRole('img', { name: 'Memory use of talks' }).waitFor()
    await text(row('talks'), /\d %.*\d [KM]iB/)
  })

  it('shows the log of a container, and opens a shell in it', async () => {
    await act('Logs of talks').click()
    await text(dialog(), /first/)
    await page.keyboard.press('Escape')
    await dialog().waitFor({ state: 'detached' })
    // The browser gives the focus back to where it was.
    expect(
      await act('Logs of talks').evaluate((button) => button === button.ownerDocument.activeElement),
    ).toBe(true)

    await act('Terminal in talks').click()
    await text(dialog(), /Connected/)
    await page.keyboard.type('echo of-$((40 + 2))\n')
    await text(dialog(), /of-42/)
    await page.keyboard.type('exit 5\n')
    await text(dialog(), /ended with status 5/)
    await dialog().getByRole('button', { name: 'Close' }).click()
    await dialog().waitFor({ state: 'detached' })
  })

  it('pauses and resumes a container', async () => {
    await act('Pause talks').click()
    await text(row('talks'), /paused/)
    expect((await lab.client.tasks.get('talks')).status).toBe('paused')
    await act('Resume talks').click()
    await text(row('talks'), /running/)
  })

  it('forks a container, and shows the fork below it', async () => {
    await act('Fork talks').click()
    await dialog().getByRole('button', { name: 'Fork', exact: true }).click()
    await row('talks-1').waitFor()
    await text(row('talks-1'), /forked from talks/)
    await text(row('talks-1'), /running/)
    expect((await lab.client.tasks.get('talks-1')).status).toBe('running')
  })

  it('makes a checkpoint, and says why where it cannot', async () => {
    await act('Checkpoint talks').click()
    await dialog().getByRole('textbox').fill(lab.images.here)
    await dialog().getByRole('button', { name: 'Checkpoint' }).click()
    await text(dialog().getByRole('alert'), /image/)
    await dialog().getByRole('textbox').fill('kept:1')
    await dialog().getByRole('button', { name: 'Checkpoint' }).click()
    await dialog().waitFor({ state: 'detached' })
    expect((await lab.client.images.get('kept:1')).name).toBe('kept:1')
  })

  it('stops, starts, kills and removes a container', async () => {
    await act('Stop talks').click()
    await text(row('talks'), /stopped.*exit 4/)
    await act('Start talks').click()
    await text(row('talks'), /running/)
    await act('Kill talks-1').click()
    await text(row('talks-1'), /stopped.*exit 137/)
    await act('Remove talks-1').click()
    await dialog().getByRole('button', { name: 'Remove' }).click()
    await row('talks-1').waitFor({ state: 'detached' })
    await expect(lab.client.containers.get('talks-1')).rejects.toMatchObject({ code: 'not_found' })
  })

  it('pulls an image with its progress, shows its layers and what shares them, and removes it', async () => {
    await view('Images')
    await page.getByRole('textbox', { name: 'Image' }).fill(lab.images.there)
    await page.getByRole('textbox', { name: 'into' }).fill(namespace)
    await act('Pull').click()
    await row(lab.images.there).waitFor()
    await text(page.getByRole('log', { name: 'Messages' }), `Pulled ${lab.images.there}`)
    await act(`Layers of ${lab.images.there}`).click()
    await text(dialog(), new RegExp(`${lab.images.here}.*nothing`))
    await page.keyboard.press('Escape')
    await act(`Remove ${lab.images.there}`).click()
    await dialog().getByRole('button', { name: 'Remove' }).click()
    await row(lab.images.there).waitFor({ state: 'detached' })

    await page.getByRole('textbox', { name: 'Image' }).fill(lab.images.there.replace(':1', ':none'))
    await act('Pull').click()
    await text(page.getByRole('list', { name: 'Pulls under way' }), /none.*failed/)
    await page.getByRole('button', { name: /^Dismiss the pull/ }).click()
  })

  it('shows who holds the disk, and prunes what it has shown before', async () => {
    await view('Disk')
    // The checkpoint keeps the image of its container.
    await row('shared by several').waitFor()
    await act(`Prune ${namespace}`).click()
    await text(dialog(), /removes 1 images.*kept:1/)
    await act(`Prune ${namespace} now`).click()
    await dialog().waitFor({ state: 'detached' })
    await expect(lab.client.images.get('kept:1')).rejects.toMatchObject({ code: 'not_found' })
    expect((await lab.client.images.get(lab.images.here)).name).toBe(lab.images.here)
  })

  it('shows events as they come, and what names of others say as text alone', async () => {
    const hostile = '<img src=x onerror=document.title=1>\u202e'
    await lab.client.images.create({
      name: `${hostile}${'x'.repeat(500)}`,
      target: (await lab.client.images.get(lab.images.here)).target,
      labels: { '</script><script>': hostile },
    })
    await view('Activity')
    const event = page.getByRole('row').filter({ hasText: '/images/create' }).filter({ hasText: '<img' })
    await text(event, /onerror=document\.title=1>\ufffd/)
    await view('Images')
    const image = page.getByRole('rowheader').filter({ hasText: '<img src=x' })
    await image.waitFor()
    expect((await image.textContent())!.length).toBeLessThan(200)
    expect(await page.locator('main img').count()).toBe(0)
    await lab.client.images.delete(`${hostile}${'x'.repeat(500)}`)
  })

  it('shows the server and its plugins', async () => {
    await view('Server')
    await row('overlayfs').first().waitFor()
    await text(page.locator('dl').first(), String(lab.server.process.pid))
  })

  it('can be used by the keyboard', async () => {
    await page.reload()
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    const focused = () => page.locator(':focus').textContent()
    await expect.poll(focused).toBe('Server')
    await page.getByRole('link', { name: 'Disk', exact: true }).focus()
    await page.keyboard.press('Enter')
    await expect.poll(focused).toBe('Disk')
    await page.getByRole('combobox', { name: 'Colours' }).selectOption('dark')
    expect(await page.locator('html').getAttribute('data-theme')).toBe('dark')
    await page.getByRole('combobox', { name: 'Colours' }).selectOption('auto')
  })

  it('shows ages that grow while nothing happens, without asking for containers again', async () => {
    await using client = connect({ address: readOnly.address, namespace })
    await client.namespaces.create({ name: namespace })
    const spec = { typeUrl: 'spec', value: Buffer.from('{}') }
    await client.containers.create({ id: 'aged', runtime: { name: 'io.containerd.runc.v2' }, spec })
    const looking = await lab.open({
      of: readOnly,
      prepare: async (opened) => {
        watch(opened)
        await opened.clock.install()
      },
    })
    const age = looking.locator('[data-label=Age]')
    await text(age, /^\d+ s$/)
    const asked: string[] = []
    looking.on('request', (request) => asked.push(request.url()))
    const before = await age.textContent()
    await expect.poll(() => age.textContent(), { timeout: patience }).not.toBe(before)
    await looking.clock.fastForward('05:00')
    await text(age, /^5 min$/)
    await looking.clock.fastForward('01:00:00')
    await text(age, /^1 h$/)
    expect(asked.filter((url) => /containers\.v1|tasks\.v1/.test(url))).toEqual([])
    await looking.context().close()
  })

  it('changes nothing in read-only mode, and says why', async () => {
    const { stderr } = await readOnly.stockCtr(['namespaces', 'create', 'looked-at'])
    expect(stderr).toBe('')
    const looking = await lab.open({ of: readOnly, prepare: watch })
    await looking.getByRole('link', { name: 'Images', exact: true }).click()
    const pull = looking.getByRole('button', { name: 'Pull', exact: true })
    await pull.waitFor()
    await expect.poll(() => pull.getAttribute('aria-disabled')).toBe('true')
    expect(await pull.getAttribute('title')).toMatch(/read-only.*--web-write/)
    await looking.getByRole('textbox', { name: 'Image' }).fill('alpine')
    await looking.keyboard.press('Enter')
    expect(await looking.getByRole('list', { name: 'Pulls under way' }).count()).toBe(0)
    await looking.context().close()
  })

  it.each(['light', 'dark'] as const)('has nothing that axe finds, in %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme })
    const axe = createRequire(import.meta.url).resolve('axe-core')
    for (const name of ['Containers', 'Images', 'Disk', 'Activity', 'Server']) {
      await view(name)
      await expect.poll(() => page.getByText('Loading…').count()).toBe(0)
      expect([name, await axeFindings(page, axe)]).toEqual([name, []])
    }
    await view('Containers')
    await act('Fork talks').click()
    await dialog().waitFor()
    expect(await axeFindings(page, axe)).toEqual([])
    await page.keyboard.press('Escape')
  })

  it('says when the server is away, and goes on by itself when it is back', async () => {
    await view('Containers')
    await row('talks').waitFor()
    await lab.server.kill()
    await text(page.getByRole('status').first(), /server is away/)
    await expect
      .poll(() => act('Start talks').or(act('Stop talks')).getAttribute('aria-disabled'))
      .toBe('true')
    await lab.server.restart()
    // A new server knows no session of the one before.
    await text(page.getByRole('status').first(), /ctr web/)
    const link = await lab.open({ context: page.context() })
    // Chromium may not close a page for good that is still loading.
    await link.getByRole('heading', { level: 1 }).waitFor()
    await link.close()
    await text(row('talks'), /running/)
    await expect.poll(() => page.getByRole('status').first().textContent()).toBe('')
    await act('Pause talks').click()
    await text(row('talks'), /paused/)
  })

  it('asks no other origin for anything, and breaks no rule of its own', () => {
    for (const origin of requests) expect(origin).toMatch(/^(http:\/\/127\.0\.0\.1:\d+|null)$/)
    expect(complaints).toEqual([])
  })
})

/** What axe finds, by its rule and the element. */
async function axeFindings(page: Page, path: string): Promise<string[]> {
  // By the protocol of the browser: the page's own policy forbids scripts of others.
  await page.evaluate(await readFile(path, 'utf8'))
  return await page.evaluate(
    `axe.run().then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ': ' + html)))`,
  )
}
