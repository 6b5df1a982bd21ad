import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BuiltImage } from './image-layout.ts'
import type { Registry } from './registry.ts'
import { runOrThrow } from './run.ts'
import { tempDir } from './temp-dir.ts'

export interface PushImageOptions {
  /** `v2s2` converts to Docker's media types, which changes digests; kept as built by default. */
  format?: 'v2s2'
  /** Milliseconds; 120,000 by default. */
  timeout?: number
}

/** An image in a registry. */
export interface PushedImage {
  /** `HOST/NAME:TAG`. */
  readonly reference: string
  /** Of the manifest or index that the tag names. */
  readonly digest: string
}

/**
 * Copies an image with all its platforms to a registry by Debian's `skopeo`.
 *
 * @param name the part after the host, with a tag: `library/busybox:latest`
 */
export async function pushImage(
  image: BuiltImage,
  registry: Registry,
  name: string,
  options: PushImageOptions = {},
): Promise<PushedImage> {
  await using scratch = await tempDir('nsbox-push')
  const reference = `${registry.host}/${name}`
  const digestFile = join(scratch.path, 'digest')
  await runOrThrow(
    'skopeo',
    [
      '--insecure-policy',
      `--tmpdir=${scratch.path}`,
      'copy',
      '--all',
      '--quiet',
      '--dest-tls-verify=false',
      `--digestfile=${digestFile}`,
      options.format ? `--format=${options.format}` : '--preserve-digests',
      ...(registry.auth ? [`--dest-creds=${registry.auth.user}:${registry.auth.password}`] : []),
      `oci:${image.layout}:${image.tag}`,
      `docker://${reference}`,
    ],
    { timeout: options.timeout ?? 120_000 },
  )
  return { reference, digest: (await readFile(digestFile, 'utf8')).trim() }
}
