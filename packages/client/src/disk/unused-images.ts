import type { AbortOptions } from '@nsbox/core/content'
import type { Image } from '@nsbox/core/images'
import type { DiskView } from './disk-view.ts'

/** The images that match any of the filters and that no container is of. */
export async function unusedImages(
  client: Pick<DiskView, 'images' | 'containers'>,
  filters: readonly string[],
  options: AbortOptions,
): Promise<Image[]> {
  const images = await client.images.list(filters, options)
  const used = new Set<string>()
  for await (const { image } of client.containers.list([], options)) used.add(image)
  return images.filter(({ name }) => !used.has(name))
}
