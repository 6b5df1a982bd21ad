/** The parts of a published `package.json` that are checked. */
export interface PublishedManifest {
  readonly name?: string
  readonly version?: string
  readonly description?: string
  readonly keywords?: readonly string[]
  readonly homepage?: string
  readonly bugs?: string
  readonly repository?: { readonly type?: string; readonly url?: string; readonly directory?: string }
  readonly license?: string
  readonly engines?: { readonly node?: string }
  readonly exports?: unknown
  readonly publishConfig?: {
    readonly access?: string
    readonly provenance?: boolean
    readonly registry?: string
  }
  readonly private?: boolean
  readonly scripts?: object
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: object
}

/**
 * What is missing in a manifest as it would be published, or serves only in the repository.
 *
 * @param directory of the package, below `packages`
 * @param published the names of all published packages
 */
export function manifestFaults(
  manifest: PublishedManifest,
  { directory, published }: { directory: string; published: readonly string[] },
): string[] {
  const { repository, publishConfig } = manifest
  const required = {
    description: manifest.description,
    keywords: manifest.keywords?.length,
    homepage: manifest.homepage?.endsWith(`/packages/${directory}#readme`),
    bugs: manifest.bugs,
    repository: repository?.url && repository.directory === `packages/${directory}`,
    license: manifest.license,
    'engines.node': manifest.engines?.node,
    'publishConfig.access': publishConfig?.access === 'public',
    'publishConfig.provenance': publishConfig?.provenance,
  }
  const forbidden = {
    private: manifest.private,
    scripts: manifest.scripts,
    devDependencies: manifest.devDependencies,
    // Where it goes is for whoever publishes to say.
    'publishConfig.registry': publishConfig?.registry,
    'the condition @nsbox/source': JSON.stringify(manifest.exports ?? {}).includes('@nsbox/source'),
  }
  const faults = [
    ...Object.entries(required).flatMap(([what, is]) => (is ? [] : [`${what} is missing or wrong`])),
    ...Object.entries(forbidden).flatMap(([what, is]) => (is ? [`has ${what}`] : [])),
  ]
  for (const [name, range] of Object.entries(manifest.dependencies ?? {})) {
    if (/^(workspace|catalog|file|link):/.test(range)) faults.push(`depends on ${name} ${range}`)
    if (name.startsWith('@nsbox/') && !published.includes(name))
      faults.push(`depends on ${name}, which is not published`)
  }
  return faults
}
