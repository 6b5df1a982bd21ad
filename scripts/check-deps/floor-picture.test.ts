import { describe, expect, it } from 'vitest'
import { begin, end, withFloorPicture } from './floor-picture.ts'
import { check, manifest, workspace } from './testing/faultless-workspace.ts'
import { readWorkspace } from './workspace.ts'

describe('the picture of the floors', () => {
  const place = (made: string) => `# A\n\n${begin}${made}${end}\nMore.\n`

  it('has each package on its floor, and an arrow for what it uses without another one in between', async () => {
    const content = manifest('@nsbox/content', {
      dependencies: ['@nsbox/errors', '@nsbox/oci'],
      description: 'what content is',
    })
    await using dir = await workspace({ 'packages/content/package.json': content })
    const text = withFloorPicture(place('old'), readWorkspace(dir.path))
    expect(text).toMatch(/^# A\n\n<!--.*\nMore\.\n$/s)
    expect(text).toContain('  subgraph floor1[1]\n    errors\n    oci\n  end\n')
    expect(text.match(/^ {2}\w+ --> \w+$/gm)).toEqual(['  content --> oci', '  oci --> errors'])
    expect(text).toContain('| 4 | `content` | what content is |')
  })

  it('is as the packages are', async () => {
    const stale = 'docs/ARCHITECTURE.md shows other packages than there are; run pnpm draw-floors'
    expect(await check({ 'docs/ARCHITECTURE.md': place('old') })).toEqual([stale])
    await using dir = await workspace()
    const fresh = withFloorPicture(place('old'), readWorkspace(dir.path))
    expect(await check({ 'docs/ARCHITECTURE.md': fresh })).toEqual([])
  })
})
