// Writes the picture and table of the packages into docs/ARCHITECTURE.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pictureFile, withFloorPicture } from './check-deps/floor-picture.ts'
import { readWorkspace } from './check-deps/workspace.ts'

const root = join(import.meta.dirname, '..')
const path = join(root, pictureFile)
writeFileSync(path, withFloorPicture(readFileSync(path, 'utf8'), readWorkspace(root)))
