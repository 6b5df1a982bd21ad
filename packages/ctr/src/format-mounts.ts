import { join } from 'node:path'
import type { Mount } from '@nsbox/core/snapshots'

/** Mounts as commands for a shell, one line each; only what a shell would take apart is quoted. */
export function formatMountCommands(mounts: readonly Mount[], target: string): string {
  return mounts
    .map(({ type, source, target: below = '', options }) => {
      const words = ['mount', '-t', type, source, join(target, below), '-o', options.join(',')]
      return `${words.map(quoted).join(' ')}\n`
    })
    .join('')
}

/** Mounts as the JSON that containerd's client prints. */
export function formatMountsJson(mounts: readonly Mount[]): string {
  const documents = mounts.map(({ type, source, target = '', options }) => ({
    Type: type,
    Source: source,
    Target: target,
    Options: options,
  }))
  return `${JSON.stringify(documents, undefined, 4)}\n`
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}
