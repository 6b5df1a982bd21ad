import * as sys from '@nsbox/sys'
import { DisposableStack } from '@whatwg-node/disposablestack'
import { attributeChange } from '../mount-attributes.ts'
import { propagationFlags } from '../mount-options.ts'
import type { OverlayLayers } from '../overlay.ts'
import { type FileSystemContext, fileSystemContext } from './file-system-context.ts'
import { layerPath, maxSetting } from './layer-path.ts'
import { hasErrno } from './mount-error.ts'
import type { MountRequest } from './mount-request.ts'
import { type OwnedDescriptor, ownedDescriptor } from './owned-descriptor.ts'

/**
 * Makes a detached mount with all its attributes and options, so that it cannot be seen half made.
 *
 * @returns undefined if the kernel lacks a call or parameter that this needs, or a value is too long for one
 */
export function detachedMount(request: MountRequest): OwnedDescriptor | undefined {
  try {
    return request.bind === undefined ? newFileSystem(request) : clonedTree(request)
  } catch (error) {
    if (hasErrno(error, 'ENOSYS')) return undefined
    throw error
  }
}

function clonedTree(request: MountRequest): OwnedDescriptor {
  using hold = new DisposableStack()
  const mounted = hold.use(ownedDescriptor(sys.openTreeClone(request.source, request.bind === 'recursive')))
  const { set, clear } = attributeChange(request.attributes)
  if (set !== 0 || clear !== 0) sys.mountSetattr(mounted.fd, { set, clear })
  setPropagation(mounted.fd, request)
  hold.move()
  return mounted
}

function newFileSystem(request: MountRequest): OwnedDescriptor | undefined {
  const { layers, fileSystem, superblock } = request
  const values = [request.source, ...fileSystem.map(({ value = '' }) => value)]
  if (values.some((value) => Buffer.byteLength(value) > maxSetting)) return undefined
  if (layers !== undefined && !takesLayersOneByOne()) return undefined
  using context = fileSystemContext(request.type)
  if (request.source !== '') context.set('source', request.source)
  for (const word of superblock) context.flag(word)
  for (const { key, value } of fileSystem) {
    if (value === undefined) context.flag(key)
    else context.set(key, value)
  }
  if (layers !== undefined) setLayers(context, layers)
  using hold = new DisposableStack()
  const mounted = hold.use(context.mount(attributeChange(request.attributes).set))
  setPropagation(mounted.fd, request)
  hold.move()
  return mounted
}

/** The kernel looks a layer up when it is set, so one descriptor at a time is open. */
function setLayers(context: FileSystemContext, { lower, upper, work }: OverlayLayers): void {
  const set = (key: string, path: string) => {
    using hold = new DisposableStack()
    context.set(key, layerPath(path, hold), path)
  }
  for (const path of lower) set('lowerdir+', path)
  if (upper !== undefined) set('upperdir', upper)
  if (work !== undefined) set('workdir', work)
}

/** The answer of the kernel, which does not change. */
let layersOneByOne: boolean | undefined

/**
 * Whether overlayfs takes its lower directories one by one, which Linux does since 6.7. Before 6.5 it takes
 * any parameter and complains later, hence the first question.
 */
function takesLayersOneByOne(): boolean {
  if (layersOneByOne === undefined) {
    using context = fileSystemContext('overlay')
    layersOneByOne = !takes(context, 'no-such-parameter') && takes(context, 'lowerdir+')
  }
  return layersOneByOne
}

function takes(context: FileSystemContext, key: string): boolean {
  try {
    context.set(key, '/')
    return true
  } catch (error) {
    if (hasErrno(error, 'EINVAL')) return false
    throw error
  }
}

function setPropagation(mounted: number, { propagation }: MountRequest): void {
  if (propagation === undefined) return
  const { kind, recursive } = propagation
  sys.mountSetattr(mounted, { propagation: propagationFlags[kind], recursive })
}
