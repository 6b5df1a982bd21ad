import { Option } from 'commander'

/** The option that takes the documents of platforms whose layers are not taken. */
export function allMetadataOption(): Option {
  return new Option('--all-metadata', 'fetch manifests and configs of all platforms')
}

/** The option that leaves them out, which newer versions of `ctr` do not do without it (docs/behaviour.md §15). */
export function skipMetadataOption(): Option {
  return new Option('--skip-metadata', 'fetch nothing of other platforms; the default').conflicts(
    'allMetadata',
  )
}
