import { chmod, chown, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LayerWorkers } from '@nsbox/diff'
import { compareTrees, type RawHeader, readTree, scratchMount } from '@nsbox/testing'
import { describeWith } from '@nsbox/testing/describe-with'
import { afterAll, expect, test } from 'vitest'
import { imageInMemory } from '../testing/image-in-memory.ts'
import { unpackStores } from '../testing/unpack-stores.ts'
import { unpackImage } from './unpack.ts'

const link = (name: string, linkName: string): RawHeader => ({ name, type: '2', linkName, mtime: 1000 })

describeWith(
  { root: true, linux: true, programs: ['python3'] },
  'links that a lower layer has planted',
  () => {
    const workers = new LayerWorkers({ threads: 2 })
    afterAll(() => workers[Symbol.asyncDispose]())

    /** A directory of the host that the images try to reach. */
    async function host() {
      const scratch = await scratchMount()
      const path = join(scratch.path, 'host')
      await mkdir(join(path, 'directory'), { recursive: true })
      await writeFile(join(path, 'secret'), 'secret', { mode: 0o600 })
      await chown(path, 7, 7)
      await chmod(path, 0o711)
      const before = await readTree(path)
      return {
        path,
        damage: async () => compareTrees(before, await readTree(path)),
        [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
      }
    }

    test.each(['with late parents', 'in order'])(
      'A09 lead no later layer to the host, and none of its attributes into the image, %s',
      async (way) => {
        await using outside = await host()
        await using stores = await unpackStores(workers)
        const climbing = `${'../'.repeat(12)}${outside.path.slice(1)}`
        const image = imageInMemory([
          {
            entries: [link('absolute', outside.path), link('climbing', climbing), link('chain', 'climbing')],
          },
          {
            entries: [
              ...['absolute', 'climbing', 'chain'].flatMap((name): RawHeader[] => [
                { name: `${name}/secret`, content: 'overwritten', mtime: 1000 },
                { name: `${name}/made/deep`, mtime: 1000 },
              ]),
              { name: 'absolute/.wh.directory' },
            ],
          },
          { entries: [{ name: 'absolute/.wh..wh..opq' }, { name: 'absolute/last', mtime: 1000 }] },
        ])
        await stores.add(image)
        const into = way === 'in order' ? stores.inOrder : stores.into
        const { chainId } = await unpackImage(image.target, { ...into, content: stores.content })
        const tree = await stores.tree(chainId!, into)
        if (way === 'in order') {
          // A layer that is applied to a copy of those below finds the links, which lead within the image.
          expect(tree.get('climbing')).toMatchObject({ type: 'symlink', target: climbing })
          const within = outside.path.slice(1)
          expect([...tree.keys()].filter((name) => name.startsWith(`${within}/`))).toEqual([`${within}/last`])
          expect(tree.get(within)).toMatchObject({ type: 'directory', mode: '755', uid: 0 })
        } else {
          // The implied directory of the upper layer replaces the link, as in containerd.
          expect(tree.get('climbing')).toMatchObject({ type: 'directory', mode: '755', uid: 0 })
          expect([...tree.keys()].filter((name) => name.startsWith('absolute'))).toEqual([
            'absolute',
            'absolute/last',
          ])
        }
        expect(await outside.damage()).toEqual([])
      },
    )

    test('A06 A09 give no hard link to what they lead to', async () => {
      await using outside = await host()
      await using stores = await unpackStores(workers)
      const image = imageInMemory([
        { entries: [link('absolute', outside.path)] },
        { entries: [{ name: 'stolen', type: '1', linkName: 'absolute/secret' }] },
      ])
      await stores.add(image)
      await expect(
        unpackImage(image.target, { ...stores.into, content: stores.content }),
      ).rejects.toMatchObject({
        code: 'invalid_argument',
        details: { entry: 'stolen' },
      })
      // The layer below may have been unpacked by then; of this one nothing is left.
      expect([[], [`committed ${image.layers[0]!.diffId}`]]).toContainEqual(await stores.snapshots())
      expect(await outside.damage()).toEqual([])
    })
  },
)
