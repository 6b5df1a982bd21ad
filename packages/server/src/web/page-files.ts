import { isErrno, NsboxError } from '@nsbox/errors'

/** A file of the page. */
export interface PageFile {
  /** Its media type, with the character set of text. */
  readonly type: string
  readonly body: Uint8Array
  /** An entity tag, in its quotes. */
  readonly etag: string
}

/** Loads the files of the page, by names that do not begin with a slash; `index.html` is the page itself. */
export type PageFiles = () => Promise<ReadonlyMap<string, PageFile>>

/**
 * The package with the page, which a server without one does not load. Its files lie beside its code, so no bundle
 * takes it in.
 */
const builtBy: string = '@nsbox/web'

/** The page of `@nsbox/web`. @throws `failed_precondition` if it is not installed or has not been built */
export const builtPage: PageFiles = async () => {
  try {
    const { pageFiles }: typeof import('@nsbox/web') = await import(builtBy)
    return await pageFiles()
  } catch (cause) {
    if (!isErrno(cause, 'ERR_MODULE_NOT_FOUND')) throw cause
    throw new NsboxError('failed_precondition', `the page is not installed (${builtBy})`, { cause })
  }
}
