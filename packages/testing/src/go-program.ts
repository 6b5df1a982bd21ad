import { join } from 'node:path'
import { goCache } from './go-cache.ts'
import { goSources } from './go-sources.ts'
import { runOrThrow } from './run.ts'

/** The environment in which `go` builds offline. @param sources directories for `GOPATH`, the first of them first */
export function goEnvironment(sources: readonly string[]): Record<string, string> {
  return {
    GOPATH: sources.join(':'),
    GOCACHE: join(goCache, 'build'),
    // Debian's packages are used without Go modules, and so without a network.
    GO111MODULE: 'off',
    GOTOOLCHAIN: 'local',
    GOFLAGS: '',
    CGO_ENABLED: '0',
  }
}

/**
 * Builds a program in Go that uses containerd's client library. The first build on a machine compiles that library,
 * which takes a minute and a half of processor time; the result is cached.
 *
 * @param directory of its sources
 * @param output path of the program
 */
export async function buildGoProgram(directory: string, output: string): Promise<void> {
  const env = goEnvironment([await goSources()])
  const args = ['build', '-ldflags=-s -w', '-o', output, '.']
  await runOrThrow('go', args, { cwd: directory, env, timeout: 900_000 })
}
