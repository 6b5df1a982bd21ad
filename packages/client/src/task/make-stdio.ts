import type { ProcessIo } from '@nsbox/core/tasks'
import { NsboxError } from '@nsbox/errors'
import { defaultFifoDirectory, makeFifos } from '../stdio/make-fifos.ts'
import type { StdioOptions } from './stdio-options.ts'

/** What URIs for output may begin with; others could mean anything to a server (docs/threat-model.md B09). */
const schemes = ['file:///', 'binary:///', 'binary-v2:///']

/** Makes the FIFOs that a process needs. @returns what a request tells of its standard streams */
export async function makeStdio(
  options: StdioOptions & { readonly terminal: boolean; readonly signal?: AbortSignal | undefined },
): Promise<ProcessIo> {
  const { stdin = false, output = 'pipe', fifoDirectory = defaultFifoDirectory(), terminal, signal } = options
  if (output !== 'pipe' && output !== 'ignore') {
    if (!schemes.some((scheme) => output.startsWith(scheme))) {
      throw new NsboxError(
        'invalid_argument',
        `output ${JSON.stringify(output)} is no URI that begins with ${schemes.join(', ')}`,
      )
    }
    return { stdin: '', stdout: output, stderr: terminal ? '' : output, terminal }
  }
  const piped = output === 'pipe'
  if (!piped && !stdin) return { stdin: '', stdout: '', stderr: '', terminal }
  const wanted = { stdin, stdout: piped, stderr: piped && !terminal }
  const paths = await makeFifos({ root: fifoDirectory, ...wanted, signal })
  return { ...paths, terminal }
}
