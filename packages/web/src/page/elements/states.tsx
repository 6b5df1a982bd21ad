/** What stands in the place of what the server has not told yet. */
export function Waiting() {
  return (
    <p class="nothing" role="status">
      Loading…
    </p>
  )
}

/** Why the server did not tell what was asked. */
export function Failure({ of }: { readonly of: string | undefined }) {
  if (of === undefined) return null
  return (
    <p class="failure" role="alert">
      {of}
    </p>
  )
}
