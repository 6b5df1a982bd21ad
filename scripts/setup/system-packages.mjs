import { existsSync, readdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { command, hasProgram } from './command.mjs'

/**
 * Debian's packages that the project uses: the program by which its presence is known, what wants it, and what
 * is skipped without it. docs/dependencies.md has the reasons at length.
 */
export const systemPackages = [
  { name: 'busybox-static', program: 'busybox', without: 'tests with images that run' },
  { name: 'ca-certificates', file: '/etc/ssl/certs/ca-certificates.crt', without: 'registries over TLS' },
  { name: 'containerd', program: 'containerd', without: 'tests against stock containerd and its ctr' },
  { name: 'docker-registry', program: 'docker-registry', without: 'tests against a real registry' },
  { name: 'g++', program: 'g++', without: 'compiling better-sqlite3' },
  { name: 'make', program: 'make', without: 'compiling better-sqlite3' },
  { name: 'python3', program: 'python3', without: 'compiling better-sqlite3' },
  { name: 'runc', program: 'runc', without: 'containers' },
  { name: 'skopeo', program: 'skopeo', without: 'tests that push images' },
  { name: 'strace', program: 'strace', without: 'tests of durability' },
  { name: 'umoci', program: 'umoci', without: 'tests that compare with umoci' },
]

const policy = '/usr/sbin/policy-rc.d'

/** Installs what is missing, by apt as root; elsewhere says what is missing and what is skipped for it. */
export async function installSystemPackages() {
  const missing = systemPackages.filter(({ program, file }) =>
    file === undefined ? !hasProgram(program) : !existsSync(file),
  )
  if (missing.length === 0) return
  if (process.geteuid?.() !== 0 || !hasProgram('apt-get')) {
    console.log('These system packages are missing, and only root on Debian can have them installed here:')
    for (const { name, without } of missing) console.log(`  ${name}: no ${without}`)
    return
  }
  const names = missing.map(({ name }) => name)
  console.log(`Installing ${names.join(', ')}`)
  // Debian's way to keep a package from starting its service.
  const policed = existsSync(policy)
  if (!policed) await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    if (hasPackageLists() && (await apt('install', '--no-install-recommends', ...names))) return
    // No lists, or they are so old that what they name is gone.
    await apt('update')
    if (!(await apt('install', '--no-install-recommends', ...names)))
      throw new Error('apt-get could not install the system packages')
  } finally {
    if (!policed) await rm(policy)
  }
}

const hasPackageLists = () =>
  existsSync('/var/lib/apt/lists') && readdirSync('/var/lib/apt/lists').some((name) => /_Packages/.test(name))

/** @param {string[]} args */
async function apt(...args) {
  const options = ['--yes', '--quiet', '-o', 'DPkg::Lock::Timeout=120']
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  return (await command('apt-get', [...options, ...args], { minutes: 10, env })).code === 0
}
