/** What a unit runs. */
export interface UnitCommand {
  /** Absolute path of Node.js, and of the program. */
  readonly node: string
  readonly program: string
  /** Absolute path of the configuration file. */
  readonly configuration: string
}

/**
 * The unit of the server for systemd (systemd.service(5)). Its limits are those of containerd's unit, for the same
 * reasons.
 *
 * @throws never; arguments are quoted as systemd.syntax(7) says
 */
export function unitText({ node, program, configuration }: UnitCommand): string {
  return `# Made by "nsbox-server install"; changes of yours belong into a drop-in ("systemctl edit nsbox").
[Unit]
Description=nsbox, a container daemon that speaks the API of containerd
After=network.target local-fs.target dbus.service

[Service]
# It says when it serves, reloads and ends, and gives signs of life. If its event loop stands still, it is started
# again.
Type=notify
NotifyAccess=main
WatchdogSec=60
ExecStartPre=-/sbin/modprobe overlay
ExecStart=${[node, program, '--config', configuration].map(quotedArgument).join(' ')}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=5
# Containers have cgroups of their own, and go on while the server is away: only the server itself is ended.
Delegate=yes
KillMode=process
# The kernel should rather end a container than what all containers depend on.
OOMScoreAdjust=-999
# Limits would hold for all containers together. Theirs are those of their cgroups.
LimitNPROC=infinity
LimitCORE=infinity
LimitNOFILE=infinity
TasksMax=infinity

[Install]
WantedBy=multi-user.target
`
}

/** An argument of a command in a unit: specifiers and variables are taken literally (systemd.service(5)). */
function quotedArgument(text: string): string {
  const literal = text.replaceAll('%', '%%').replaceAll('$', '$$$$')
  if (/^[\w./@%$:+=-]+$/.test(literal)) return literal
  return `"${literal.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
