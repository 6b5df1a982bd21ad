const source = '@nsbox/source'

module.exports = { hooks: { beforePacking } }

/**
 * Leaves out of a published manifest what serves only in the repository: the condition that leads to sources, and what
 * builds and tests them.
 *
 * @param {Record<string, unknown>} manifest
 */
function beforePacking({ devDependencies, scripts, ...manifest }) {
  return { ...manifest, exports: withoutSource(manifest.exports) }
}

/** @param {unknown} exports @returns {unknown} */
function withoutSource(exports) {
  if (typeof exports !== 'object' || exports === null) return exports
  const entries = Object.entries(exports).filter(([condition]) => condition !== source)
  return Object.fromEntries(entries.map(([key, value]) => [key, withoutSource(value)]))
}
