import { createRequire } from 'node:module'

/** The version of this package, read by its own name so that bundled and unbundled code find the same file. */
export const version: string = createRequire(import.meta.url)('@nsbox/ctr/package.json').version
