import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * Writes a program `containerd` that starts nsbox-server. What the suite writes into the configuration of a daemon is
 * handed over where nsbox has it, and left out otherwise. A hook of a container is what Debian's containerd does.
 *
 * @param server the path of nsbox-server
 */
export async function writeDaemonProgram(directory: string, server: string): Promise<void> {
  const program = `#!/bin/sh
if [ "$1" = oci-hook ]; then exec /usr/bin/containerd "$@"; fi
before=
for word; do
  shift
  if [ "$before" = --config ] || [ "$before" = -c ]; then
    awk '/^[ \\t]*\\[/ { known = /\\[cgroup\\]|internal\\.v1\\.restart/ } known' "$word" >"$word.nsbox"
    word=$word.nsbox
  fi
  set -- "$@" "$word"
  before=$word
done
exec ${server} "$@"
`
  const path = join(directory, 'containerd')
  await writeFile(path, program)
  await chmod(path, 0o755)
}
