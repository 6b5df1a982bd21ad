import { existsSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import { type PageFile, pageFiles } from './page-files.ts'

const isBuilt = existsSync(new URL('../dist/page/files.json', import.meta.url))

describe.skipIf(!isBuilt && !process.env.CI)('the built page', () => {
  let files: ReadonlyMap<string, PageFile>
  beforeAll(async () => {
    files = await pageFiles()
  })

  it('is less than 250 kB to send, compressed, and less than 120 kB before a terminal is opened', () => {
    const sizes = [...files].map(([name, { body }]) => ({ name, size: gzipSync(body).length }))
    const sum = (all: typeof sizes) => all.reduce((total, { size }) => total + size, 0)
    expect(sum(sizes)).toBeLessThan(250_000)
    expect(sum(sizes.filter(({ name }) => !name.startsWith('open-terminal')))).toBeLessThan(120_000)
  })

  it('has a type and an etag for each file, and a page that names the others', () => {
    const html = new TextDecoder().decode(files.get('index.html')?.body)
    for (const [name, { type, etag }] of files) {
      expect(type).toMatch(/^text\/(html|javascript|css); charset=utf-8$/)
      expect(etag).toMatch(/^"[\w-]{43}"$/)
      if (name.startsWith('main-')) expect(html).toContain(`"${name}"`)
    }
  })

  it('has no inline script or style, and names no other origin', () => {
    const html = new TextDecoder().decode(files.get('index.html')?.body)
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)|https?:/)
  })
})
