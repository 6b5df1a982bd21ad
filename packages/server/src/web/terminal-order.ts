import { NsboxError } from '@nsbox/errors'

/** The size of a terminal, in characters. */
interface TerminalSize {
  readonly width: number
  readonly height: number
}

/** The most columns and lines of a terminal; the kernel has 16 bits for each. */
const mostCharacters = 65_535

/** Reads `{"resize":[columns,rows]}`. @throws `invalid_argument` for everything else */
export function parseTerminalOrder(text: string): TerminalSize {
  let order: unknown
  try {
    order = JSON.parse(text)
  } catch (cause) {
    throw new NsboxError('invalid_argument', 'the text is no JSON', { cause })
  }
  const size = typeof order === 'object' && order !== null && 'resize' in order ? order.resize : undefined
  if (!Array.isArray(size) || size.length !== 2 || !size.every(isCount))
    throw new NsboxError('invalid_argument', 'the text is not {"resize":[columns,rows]}')
  return { width: size[0], height: size[1] }
}

const isCount = (value: unknown) =>
  Number.isInteger(value) && Number(value) > 0 && Number(value) <= mostCharacters
