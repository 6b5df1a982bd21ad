import { checkCitations } from './citations.ts'
import { checkCycles, checkFolderCycles } from './cycles.ts'
import { checkDocumentation } from './documentation.ts'
import { checkFloorPicture } from './floor-picture.ts'
import { checkImports } from './import-rules.ts'
import { checkLightPackages } from './light-packages.ts'
import { checkManifests } from './manifest-rules.ts'
import { checkPortableEntries } from './portable-entries.ts'
import { checkReferences } from './references.ts'
import { checkThreatModel } from './threat-model.ts'
import { checkTrees, ownDirectories } from './tree-rules.ts'
import { readWorkspace } from './workspace.ts'

/**
 * Every breach, in words, of the rules on how packages depend on each other and on others, on how they walk trees, and
 * on what documents have and are cited for.
 * @param exempt from the rule on trees
 */
export function checkWorkspace(root: string, exempt = ownDirectories): string[] {
  const workspace = readWorkspace(root)
  const rules = [
    checkManifests,
    checkReferences,
    checkImports,
    checkCycles,
    checkFolderCycles,
    checkLightPackages,
    checkPortableEntries,
    checkDocumentation,
    checkThreatModel,
    checkCitations,
    checkFloorPicture,
  ]
  return [...rules.flatMap((rule) => rule(workspace)), ...checkTrees(workspace, exempt)]
}
