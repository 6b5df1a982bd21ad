import { imageFromRootFilesystem } from '../root-filesystem/image-from-root-filesystem.ts'
import { openStores } from './open-stores.ts'

// Makes an image of a directory as the current user, and prints the result.
await using it = await openStores()
const { content, images } = it.view
try {
  const { target } = await imageFromRootFilesystem(
    { directory: process.argv[2]! },
    { content, images, name: 'made:1' },
  )
  console.log(JSON.stringify({ digest: target.digest }))
} catch (error) {
  const { code, context } = error as { code: string; context: string }
  console.log(JSON.stringify({ code, context }))
}
