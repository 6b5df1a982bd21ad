// Packs what would be published of each package and checks that it is whole: every entry of its manifest is there, of
// the form that it says and with types that belong to it, and nothing that serves only in the repository. Prints what
// is wrong and fails if there is anything.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPacked } from './release/check-packed.ts'
import { packPackages } from './release/pack-packages.ts'

const directory = mkdtempSync(join(tmpdir(), 'nsbox-packed-'))
try {
  const faults = await checkPacked(await packPackages(directory))
  for (const fault of faults) console.log(fault)
  if (faults.length > 0) process.exitCode = 1
} finally {
  rmSync(directory, { recursive: true })
}
