import { chosenNamespace, namespaceNames } from '../connection/namespace-choice.ts'
import { useResource } from '../connection/resource.ts'
import { shortened } from '../format/shortened.ts'

/** Chooses the namespace that is shown. */
export function NamespaceSelect() {
  const { value } = useResource(namespaceNames, (topic) => topic.startsWith('/namespaces/'))
  const names = value.value ?? []
  const chosen = chosenNamespace.value
  return (
    <select
      aria-label="Namespace"
      value={chosen === undefined ? 'all' : `in ${chosen}`}
      onChange={(event) => {
        const { value: choice } = event.currentTarget
        chosenNamespace.value = choice === 'all' ? undefined : choice.slice('in '.length)
      }}
    >
      <option value="all">All namespaces</option>
      {names.map((name) => (
        <option key={name} value={`in ${name}`}>
          {shortened(name, 40)}
        </option>
      ))}
    </select>
  )
}
