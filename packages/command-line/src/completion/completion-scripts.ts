/** The shells that words are completed in. */
export const shells = ['bash', 'zsh', 'fish'] as const

/**
 * Makes a shell ask a program what can stand for a word: the program answers with a line `words`, `files` or
 * `directories`, and then a line for each candidate, with a tab before its description. The program is the one that is
 * typed, wherever it is.
 *
 * @param name of the program
 */
export const completionScripts: Readonly<Record<(typeof shells)[number], (name: string) => string>> = {
  bash: (name) => `# To be read by bash: source <(${name} completion bash)
_${name}_completion() {
  local answer
  COMPREPLY=()
  mapfile -t answer < <("$1" __complete bash -- "\${COMP_LINE:0:COMP_POINT}" "$2" 2>/dev/null)
  case \${answer[0]} in
    files) compopt -o bashdefault -o default 2>/dev/null ;;
    directories) compopt -o dirnames 2>/dev/null ;;
    *) COMPREPLY=("\${answer[@]:1}") ;;
  esac
}
complete -F _${name}_completion ${name}
`,
  zsh: (name) => `#compdef ${name}
# To be read by zsh: source <(${name} completion zsh), or as a file _${name} in $fpath
_${name}() {
  local -a answer values texts
  local line
  answer=("\${(@f)$("\${(Q)words[1]}" __complete zsh -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}")
  case $answer[1] in
    files) _files ;;
    directories) _files -/ ;;
    *)
      for line in "\${(@)answer[2,-1]}"; do
        values+=("\${line%%$'\\t'*}")
        texts+=("\${line/$'\\t'/  -- }")
      done
      compadd -l -d texts -a values
      ;;
  esac
}
if [ "$funcstack[1]" = _${name} ]; then _${name} "$@"; else compdef _${name} ${name}; fi
`,
  fish: (name) => `# To be read by fish: ${name} completion fish | source
function __${name}_completion
  set -l words (commandline -opc) (commandline -ct)
  set -l answer (command $words[1] __complete fish -- $words[2..-1] 2>/dev/null)
  switch "$answer[1]"
    case files
      __fish_complete_path (commandline -ct)
    case directories
      __fish_complete_directories (commandline -ct) ''
    case '*'
      printf '%s\\n' $answer[2..-1]
  end
end
complete -c ${name} -f -a '(__${name}_completion)'
`,
}
