import { join } from 'node:path'
import { goCache, goSources } from './go-sources.ts'
import { runOrThrow } from './run.ts'

/**
 * Builds a program in Go that uses containerd's client library. The first build on a machine compiles that library, a
 * minute and a half of a processor; what is compiled is kept.
 *
 * @param directory of its sources
 * @param output path of the program
 */
export async function buildGoProgram(directory: string, output: string): Promise<void> {
  const env = {
    GOPATH: await goSources(),
    GOCACHE: join(goCache, 'build'),
    // Debian's packages are for the way without modules, which asks nobody for anything.
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    CGO_ENABLED: '0',
  }
  const args = ['build', '-ldflags=-s -w', '-o', output, '.']
  await runOrThrow('go', args, { cwd: directory, env, timeout: 900_000 })
}
