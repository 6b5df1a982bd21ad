const source = '@nsbox/source'

module.exports = { hooks: { beforePacking } }

/**
 * Leaves out of a published manifest what serves only in the repository: the condition that leads to sources, and what
 * builds and tests them. Packages are released together, so a peer of ours must have the same version.
 *
 * @param {Record<string, unknown> & { peerDependencies?: Record<string, string> }} manifest
 */
function beforePacking({ devDependencies, scripts, peerDependencies, ...manifest }) {
  const peers = Object.entries(peerDependencies ?? {}).map(([name, range]) =>
    name.startsWith('@nsbox/') ? [name, manifest.version] : [name, range],
  )
  return {
    ...manifest,
    exports: withoutSource(manifest.exports),
    ...(peers.length > 0 ? { peerDependencies: Object.fromEntries(peers) } : {}),
  }
}

/** @param {unknown} exports @returns {unknown} */
function withoutSource(exports) {
  if (typeof exports !== 'object' || exports === null) return exports
  const entries = Object.entries(exports).filter(([condition]) => condition !== source)
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutSource(value)]))
}
