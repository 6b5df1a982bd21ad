import { packAny, unpackAny } from '@nsbox/api'
import { AuthRequestSchema, AuthResponseSchema, AuthType } from '@nsbox/api/gen/types/transfer/registry_pb'
import { Mutex } from '@nsbox/concurrency'
import type { CredentialSource, Credentials } from '@nsbox/core/transfer'
import { NsboxError } from '@nsbox/errors'
import type { MessageStream } from '../streaming/message-stream.ts'

/**
 * Asks the client for credentials over its stream, one question at a time, since answers do not name their question.
 */
export function streamCredentials(stream: MessageStream): CredentialSource {
  const asking = new Mutex()
  return ({ host, reference = '', challenges }, options) =>
    asking.run(async () => {
      stream.send(packAny(AuthRequestSchema, { host, reference, wwwauthenticate: [...challenges] }))
      const answer = await stream.receive(options)
      if (answer === undefined)
        throw new NsboxError('unavailable', `credentials for ${host}: the client sends none`)
      return fromAuthResponse(unpackAny(AuthResponseSchema, answer))
    }, options)
}

function fromAuthResponse({
  authType,
  secret,
  username,
}: {
  authType: AuthType
  secret: string
  username: string
}): Credentials | undefined {
  switch (authType) {
    case AuthType.CREDENTIALS:
      return { kind: 'basic', username, password: secret }
    case AuthType.REFRESH:
      // Clients without credentials send an empty answer of this kind.
      return secret === '' ? undefined : { kind: 'refresh', token: secret }
    case AuthType.HEADER:
      return { kind: 'header', authorization: secret }
    default:
      return undefined
  }
}
