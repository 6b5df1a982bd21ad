import { existsSync, readdirSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { command, hasProgram } from './command.mjs'
import { nodeHeadersPrefix } from './node-headers.mjs'

/**
 * Debian's packages that the project uses: whether what each brings is there, and what cannot be done without it.
 * docs/dependencies.md has the reasons.
 */
export const systemPackages = [
  program('busybox-static', 'tests with images that run', 'busybox'),
  {
    name: 'ca-certificates',
    without: 'registries over TLS',
    present: () => existsSync('/etc/ssl/certs/ca-certificates.crt'),
  },
  {
    name: 'containernetworking-plugins',
    without: 'networks of containers',
    present: () => existsSync('/usr/lib/cni/bridge'),
  },
  program('chromium', 'tests of the page in a browser'),
  program('containerd', 'tests against stock containerd and its ctr'),
  program('criu', 'checkpoints'),
  program('curl', 'tests of the documents'),
  program('debootstrap', 'tests that unpack a Debian system'),
  {
    name: 'docker-buildx',
    without: 'tests that build images by Docker Engine',
    present: () => existsSync('/usr/libexec/docker/cli-plugins/docker-buildx'),
  },
  program('docker-cli', 'tests with Docker Engine', 'docker'),
  program('docker-registry', 'tests against a real registry'),
  program('docker.io', 'tests with Docker Engine', 'dockerd'),
  program('fish', 'tests of the completions in fish'),
  program('g++', 'compiling better-sqlite3'),
  program('golang-go', 'tests with programs in Go', 'go'),
  program('groff-base', 'tests of the manual pages', 'groff'),
  program('iproute2', 'tests with networks of several hosts', 'ip'),
  program('isal', 'fast decompression of gzip layers', 'igzip'),
  program('libcap2-bin', 'tests of capabilities', 'setcap'),
  {
    name: 'libnode-dev',
    without: 'compiling better-sqlite3',
    present: () => nodeHeadersPrefix() !== undefined,
  },
  program('lsof', "the suite of containerd's client"),
  program('make', 'compiling better-sqlite3'),
  program('passt', 'networks of containers of ordinary users', 'pasta'),
  program('procps', 'tests of the documents', 'pkill'),
  program('prometheus', 'tests of the metrics'),
  program('python3', 'compiling better-sqlite3, and tests that make odd system calls'),
  program('runc', 'containers'),
  program('skopeo', 'tests that push images'),
  program('strace', 'tests of durability'),
  program('systemd', 'tests of the unit and of socket activation', 'systemd-socket-activate'),
  program('uidmap', 'servers of ordinary users with more than one id', 'newuidmap'),
  program('umoci', 'tests that compare with umoci'),
  program('xz-utils', "the suite of containerd's client", 'xz'),
  program('zsh', 'tests of the completions in zsh'),
  program('zstd', 'fast decompression of zstd layers'),
]

/** @param {string} name @param {string} without @param {string} file the program's, if it has another name */
function program(name, without, file = name) {
  return { name, without, present: () => hasProgram(file) }
}

const policy = '/usr/sbin/policy-rc.d'

/** Installs what is missing, by apt as root; elsewhere says what is missing and what is skipped for it. */
export async function installSystemPackages() {
  const missing = systemPackages.filter(({ present }) => !present())
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
