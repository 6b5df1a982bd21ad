import type { Reference } from './reference.ts'

const prefix = 'containerd.io/distribution.source.'
const maxLabel = 4096

/**
 * The label that records which repositories of a registry have a blob, so that a push to the same registry can mount it
 * instead of sending it (docs/behaviour.md §4). The port is not part of the key.
 */
export function distributionSourceKey(host: string): string {
  return prefix + host.replace(/:[0-9]+$/, '').replace(/^\[(.*)\]$/, '$1')
}

/**
 * The label's key and value with the repository of `reference` added: sorted, joined by commas. Other repositories are
 * dropped where the label would be too long.
 *
 * @param labels the labels that the blob has now
 */
export function distributionSourceLabel(
  { host, repository }: Pick<Reference, 'host' | 'repository'>,
  labels: Readonly<Record<string, string>> = {},
): { key: string; value: string } {
  const key = distributionSourceKey(host)
  const others = distributionSources(host, labels).filter((other) => other !== repository)
  while (others.length > 0 && key.length + others.join().length + 1 + repository.length > maxLabel)
    others.shift()
  return { key, value: [...others, repository].sort().join() }
}

/** The labels of a blob that name its repositories, on all registries. */
export function distributionSourceLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).filter(([key]) => key.startsWith(prefix)))
}

/** The repositories of a registry in the labels of a blob. */
export function distributionSources(host: string, labels: Readonly<Record<string, string>>): string[] {
  const key = distributionSourceKey(host)
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  return value ? value.split(',') : []
}
