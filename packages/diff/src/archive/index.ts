export { sniffCompression } from '../decompress/sniff.ts'
export type { TarEntry } from '../tar/tar-entry.ts'
export { padding, tarHeader } from '../tar/write-header.ts'
export { type ReadTarOptions, readTar, type TarMember } from './read-tar.ts'
