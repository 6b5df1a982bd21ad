import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { CheckpointImages } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { type Descriptor, digestOf } from '@nsbox/oci'

/** The images of a checkpoint, by their paths. */
type Images = ReadonlyMap<string, Buffer>

/** Stands for the content store in which a server keeps checkpoints. */
export class CheckpointStore {
  readonly #stored = new Map<string, Images>()

  async put(directory: string): Promise<Descriptor> {
    const images = new Map<string, Buffer>()
    for (const entry of await readdir(directory, { withFileTypes: true, recursive: true })) {
      const path = join(entry.parentPath, entry.name)
      if (entry.isFile()) images.set(path.slice(directory.length + 1), await readFile(path))
    }
    const digest = digestOf(JSON.stringify([this.#stored.size, ...images.keys()]))
    this.#stored.set(digest, images)
    const size = [...images.values()].reduce((sum, { length }) => sum + length, 0)
    return { mediaType: 'application/vnd.containerd.container.criu.checkpoint.criu.tar', digest, size }
  }

  /** Writes the images of a checkpoint. @throws `not_found` for a digest that is not stored */
  get(digest: string): CheckpointImages {
    const images = this.#stored.get(digest)
    if (images === undefined) throw new NsboxError('not_found', `checkpoint ${digest}`)
    return async (directory) => {
      for (const [path, bytes] of images) {
        await mkdir(dirname(join(directory, path)), { recursive: true })
        await writeFile(join(directory, path), bytes)
      }
    }
  }
}
