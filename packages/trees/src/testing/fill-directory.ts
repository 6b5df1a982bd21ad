import { mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileCalls } from '@nsbox/sys/files'

/** A file may have some ten thousand names, and making names is faster than making files. */
const namesOfOne = 50_000

/** Makes a directory of many names, of few files. */
export function fillDirectory(path: string, names: number): void {
  mkdirSync(path)
  for (let n = 0; n < names; n++) {
    const first = n - (n % namesOfOne)
    if (n === first) {
      writeFileSync(join(path, 'first'), '')
      renameSync(join(path, 'first'), join(path, `file${n}`))
    } else fileCalls.linkat(-1, join(path, `file${first}`), -1, join(path, `file${n}`))
  }
}
