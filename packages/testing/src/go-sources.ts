import { fetchedOnce } from './fetched-once.ts'

/**
 * Debian's packages with containerd's client library for Go and all its imports. They have a tenth of the size of what
 * Debian would install as dependencies of the first, which also contains the daemon's sources.
 */
const clientPackages = [
  'golang-github-containerd-containerd-dev',
  'golang-github-cespare-xxhash-dev',
  'golang-github-containerd-continuity-dev',
  'golang-github-containerd-errdefs-dev',
  'golang-github-containerd-fifo-dev',
  'golang-github-containerd-log-dev',
  'golang-github-containerd-platforms-dev',
  'golang-github-containerd-ttrpc-dev',
  'golang-github-containerd-typeurl-dev',
  'golang-github-distribution-reference-dev',
  'golang-github-docker-go-events-dev',
  'golang-github-go-logr-logr-dev',
  'golang-github-go-logr-stdr-dev',
  'golang-github-gogo-protobuf-dev',
  'golang-github-golang-protobuf-1-5-dev',
  'golang-github-google-go-cmp-dev',
  'golang-github-google-uuid-dev',
  'golang-github-klauspost-compress-dev',
  'golang-github-moby-locker-dev',
  'golang-github-moby-sys-dev',
  'golang-github-opencontainers-go-digest-dev',
  'golang-github-opencontainers-image-spec-dev',
  'golang-github-opencontainers-selinux-dev',
  'golang-github-opencontainers-specs-dev',
  'golang-github-pelletier-go-toml-dev',
  'golang-github-sirupsen-logrus-dev',
  'golang-golang-x-net-dev',
  'golang-golang-x-sync-dev',
  'golang-golang-x-sys-dev',
  'golang-golang-x-text-dev',
  'golang-google-genproto-dev',
  'golang-google-grpc-dev',
  'golang-google-protobuf-dev',
  'golang-opentelemetry-otel-dev',
]

/** Fetches the packages `$2`… by apt and takes their sources, without tests, to `tree` in the directory `$1`. */
const recipe = `
set -e
cd "$1"
shift
mkdir archives tree
cd archives
fetch() { apt-get --quiet -o APT::Sandbox::User=root download "$@"; }
fetch "$@" || { apt-get --quiet update && fetch "$@"; }
for archive in *.deb; do
  dpkg-deb --fsys-tarfile "$archive" |
    tar --extract --directory ../tree --exclude='*_test.go' --exclude=testdata ./usr/share/gocode
done
`

/**
 * The path of a directory for `GOPATH` with containerd's client library and its imports, from Debian's packages for
 * this machine's release. They are unpacked, not installed, once per machine; that needs a Debian mirror.
 *
 * @param packages others than those of the client library
 */
export async function goSources(packages: readonly string[] = clientPackages): Promise<string> {
  return await fetchedOnce('sources', recipe, packages, 'tree/usr/share/gocode')
}
