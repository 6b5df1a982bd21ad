import type { ManualSection } from '@nsbox/command-line'

/** What the manual page of `nsbox-server` tells beside commands and options. */
export const manualSections: readonly ManualSection[] = [
  {
    title: 'signals',
    entries: [
      [
        'SIGTERM, SIGINT, SIGQUIT',
        'End it in an orderly way. Containers go on. A second one ends it at once.',
      ],
      [
        'SIGHUP',
        'Has it read its configuration again. The log names what needs a restart. Nothing changes if any is wrong.',
      ],
    ],
  },
  {
    title: 'environment',
    entries: [
      ['NSBOX_…', 'Options name theirs. An option wins over its variable, and that over the file.'],
      ['NSBOX_CONFIG', 'The configuration file.'],
    ],
  },
  {
    title: 'files',
    entries: [
      [
        '/etc/nsbox/config.toml',
        'The configuration, in TOML; “nsbox-server config default” prints one with all settings. It need not exist.',
      ],
      ['/var/lib/nsbox', 'Content and metadata; ~/.local/share/nsbox of an ordinary user.'],
      ['/run/nsbox/nsbox.sock', 'Where it serves; $XDG_RUNTIME_DIR/nsbox/nsbox.sock of an ordinary user.'],
    ],
  },
]
