import type { AbortOptions } from '@nsbox/core/content'
import type { Labels } from '@nsbox/core/labels'
import type { ImageEndpoint, ProgressListener, RegistryEndpoint, UnpackTarget } from '@nsbox/core/transfer'

/** Options for the registry of a pull or push. */
type RegistryOptions = Omit<RegistryEndpoint, 'kind' | 'reference'>

/** How to pull. */
export interface PullOptions extends RegistryOptions, AbortOptions {
  /** Name of the image; the reference by default. */
  readonly name?: string | undefined
  /** Platforms to take: that of this machine by default, all of them if empty. */
  readonly platforms?: ImageEndpoint['platforms']
  /** Take the manifests and configs of all platforms, but layers only of the chosen ones; not by default. */
  readonly allMetadata?: boolean | undefined
  /**
   * Unpack the image for each of the platforms, or for that of this machine where all are taken; not by default. The
   * snapshotter is the server's choice by default.
   */
  readonly unpack?: Pick<UnpackTarget, 'snapshotter'> | undefined
  readonly labels?: Labels | undefined
  readonly onProgress?: ProgressListener | undefined
}

/** How to push. */
export interface PushOptions extends RegistryOptions, AbortOptions {
  /** Where to push to, in full; the name of the image by default. */
  readonly reference?: string | undefined
  /**
   * Instead of a whole index, push the manifest of the only platform, or, where the server is nsbox, an index of those
   * of several; all of it if absent or empty.
   */
  readonly platforms?: ImageEndpoint['platforms']
  readonly onProgress?: ProgressListener | undefined
}
