// Packs what would be published of each package and checks that it is whole: every entry of its manifest is there, of
// the form that it says and with types that belong to it, and nothing that serves only in the repository. Prints what
// is wrong and fails if there is anything:
//   node --import tsx scripts/packaging.ts [DIRECTORY]
// DIRECTORY has all packages packed already, as a test of theirs has them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPacked } from './release/check-packed.ts'
import { type PackedPackage, packedPackages, packPackages } from './release/pack-packages.ts'

async function check(packages: readonly PackedPackage[]): Promise<void> {
  const faults = await checkPacked(packages)
  for (const fault of faults) console.log(fault)
  if (faults.length > 0) process.exitCode = 1
}

const [packed] = process.argv.slice(2)
if (packed !== undefined) await check(packedPackages(packed))
else {
  const directory = mkdtempSync(join(tmpdir(), 'nsbox-packed-'))
  try {
    await check(await packPackages(directory))
  } finally {
    rmSync(directory, { recursive: true })
  }
}
