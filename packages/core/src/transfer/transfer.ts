import type { Descriptor, Platform } from '@nsbox/oci'
import type { AbortOptions } from '../abort-options.ts'
import type { Labels } from '../labels/labels.ts'
import type { CredentialSource } from './credentials.ts'

/** An image on a registry. */
export interface RegistryEndpoint {
  readonly kind: 'registry'
  readonly reference: string
  /** Headers to send with every request to the registry. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Directory of `hosts.toml` files. */
  readonly hostsDir?: string | undefined
  /** Scheme for hosts that nothing else says it of; `http` is plain http on request. */
  readonly defaultScheme?: 'http' | 'https' | undefined
  readonly credentials?: CredentialSource | undefined
}

/** An image in the image store. */
export interface ImageEndpoint {
  readonly kind: 'image'
  readonly name: string
  readonly labels?: Labels | undefined
  /** Platforms to take; all of them if absent or empty. */
  readonly platforms?: readonly Platform[] | undefined
  /** Take the manifests and configs of all platforms, but layers only of the chosen ones. */
  readonly allMetadata?: boolean | undefined
  /** What to unpack once it is there: the image for each of these platforms; nothing by default. */
  readonly unpacks?: readonly UnpackTarget[] | undefined
}

/** Where to unpack an image. */
export interface UnpackTarget {
  /** The platform to unpack for; that of the server by default. */
  readonly platform?: Platform | undefined
  /** Name of the snapshotter; the server's own choice by default. */
  readonly snapshotter?: string | undefined
}

export type TransferEndpoint = RegistryEndpoint | ImageEndpoint

/** One step of a transfer; names form a tree through `parents`. */
export interface TransferProgress {
  /**
   * A line about the whole transfer (`Resolving from <reference>`, `Completed pull from <reference>`, …) or the state
   * of one object: `waiting`, `downloading`, `uploading`, `already exists`, `complete`, `extracting`, `extracted`, `saved`.
   */
  readonly event: string
  /**
   * The object by its ingest ref, such as `layer-sha256:3f2a…`; the image by its name; empty for the whole transfer.
   */
  readonly name: string
  readonly parents: readonly string[]
  /** Bytes done and to do; 0 where it has no meaning. */
  readonly progress: number
  readonly total: number
  readonly descriptor?: Descriptor | undefined
}

/** Takes progress in; must not throw. */
export type ProgressListener = (progress: TransferProgress) => void

/** Moves images between places. */
export interface Transferrer {
  /**
   * Registry → image is a pull, image → registry a push, image → image a tag.
   * @throws `unimplemented` for any other pair; the errors of registries and stores
   */
  transfer(
    source: TransferEndpoint,
    destination: TransferEndpoint,
    options?: { readonly onProgress?: ProgressListener | undefined } & AbortOptions,
  ): Promise<void>
}
