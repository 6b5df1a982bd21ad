import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fetchedOnce, goEnvironment, goSources, runOrThrow } from '@nsbox/testing'

/** What the suite imports beside containerd's client library, in Debian's packages. */
const packages = [
  'golang-dbus-dev',
  'golang-github-cilium-ebpf-dev',
  'golang-github-containerd-cgroups-dev',
  'golang-github-containerd-console-dev',
  'golang-github-containerd-go-runc-dev',
  'golang-github-coreos-go-systemd-dev',
  'golang-github-davecgh-go-spew-dev',
  'golang-github-docker-go-units-dev',
  'golang-github-imdario-mergo-dev',
  'golang-github-pmezard-go-difflib-dev',
  'golang-github-stretchr-testify-dev',
  'golang-golang-x-exp-dev',
  'golang-gopkg-yaml.v3-dev',
]

/**
 * Fetches the source package of Debian's containerd: its package for Go comes without the suite. Sources of apt mostly
 * name no source packages, so copies of them do, with lists in a directory of their own.
 */
const recipe = `
set -e
cd "$1"
mkdir -p fetched/lists/partial parts tree
for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
  [ ! -f "$file" ] || sed -E 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' "$file" >"parts/$(basename "$file")"
done
apt() {
  apt-get --quiet -o APT::Sandbox::User=root -o Dir::Etc::SourceList=/dev/null -o Dir::Etc::SourceParts="$PWD/parts" \\
    -o Dir::State::Lists="$PWD/fetched/lists" -o Dir::Cache="$PWD/fetched" "$@"
}
apt update
apt --download-only --tar-only source containerd
tar --extract --file containerd_*.orig.tar.* --directory tree --strip-components=1 --wildcards '*/integration'
`

const containerd = 'src/github.com/containerd/containerd'

/**
 * Builds containerd's suite of its client, and the program by which the suite makes runc fail, from the sources of
 * Debian's containerd.
 *
 * @param directory an empty one for its sources
 * @param output a directory for the programs, `client.test` among them
 */
export async function buildSuite(directory: string, output: string): Promise<void> {
  const tree = await fetchedOnce('containerd', recipe, [], 'tree')
  const integration = join(directory, containerd, 'integration')
  await mkdir(join(directory, containerd), { recursive: true })
  await cp(join(tree, 'integration'), integration, { recursive: true })
  await adapt(join(integration, 'client'))
  const env = goEnvironment([await goSources(), await goSources(packages), directory])
  const go = (...args: string[]) =>
    runOrThrow('go', args, { cwd: join(integration, 'client'), env, timeout: 900_000 })
  await go('test', '-c', '-ldflags=-s -w', '-o', join(output, 'client.test'), '.')
  await go('build', '-ldflags=-s -w', '-o', join(output, 'runc-fp'), '../failpoint/cmd/runc-fp')
}

/**
 * Changes sources: the suite gives a daemon two or four seconds to start, which are few for Node on a busy machine, and
 * leaves files in the directory for temporary ones.
 */
async function adapt(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.endsWith('.go')) continue
    const file = join(directory, name)
    const text = await readFile(file, 'utf8')
    const adapted = text
      .replace(/(?<=waitCtx, \w+ := context\.WithTimeout\(.*, )[24](?=\*time\.Second)/g, '$&0')
      .replaceAll('"/tmp/', '"/srv/')
    await writeFile(file, adapted)
  }
}
