import { pathToFileURL } from 'node:url'
import { instruments } from '../../instruments.js'
import type { UsbId } from '../../services/transport/hardware.js'

/** What an installation depends on. Paths are absolute. */
export interface Installation {
  /** System user that runs the unit. */
  readonly user: string
  /** Data directory. */
  readonly home: string
  readonly node: string
  /** Compiled entry of the command line. */
  readonly main: string
  /** The page that explains the installation. */
  readonly manual: string
  readonly systemdVersion: number
  /** Whether the machine has a timer that resets it when nobody feeds it. */
  readonly hardwareWatchdog: boolean
  /** Whether leaders of Pioreactor clusters are to find the unit, on the port they expect. */
  readonly worker: boolean
}

/** A file of the system. */
export interface SystemFile {
  readonly path: string
  readonly content: string
  /** Default 0644. */
  readonly mode?: number
  /** Written once, then the user's own. */
  readonly keep?: boolean
}

export const SERVICE = 'benchlog.service'

/** In the first line of every file of ours: what does not have it is somebody else's. */
export const MARK = '# Written by benchlog install'

/** Where settings and secrets of the unit stand; read by systemd as root, told to main alone. */
const SETTINGS = '/etc/benchlog/benchlog.env'

/** Where a Pioreactor's leader looks for the web server of a unit, `[ui] port` of its configuration; and the right to listen there. */
const WORKER_PORT = 80
const LOW_PORTS = 'CAP_NET_BIND_SERVICE'

/** I2C bus, GPIO header and PWM files, serial ports. */
const GROUPS = ['i2c', 'gpio', 'dialout']

/** A word of a systemd command line or list: quoted, with its specifiers, variables and escapes disarmed. */
export const quoteWord = (text: string): string =>
  /^[\w@:/.,+-]+$/.test(text) ? text : `"${literal(text).replaceAll(/["\\]/g, '\\$&').replaceAll('$', '$$$$')}"`

/** A value that systemd takes to the end of the line, or in quotes where it knows no variables. */
const literal = (text: string): string => text.replaceAll('%', '%%')

const assignment = (name: string, value: string): string =>
  `"${literal(`${name}=${value}`).replaceAll(/["\\]/g, '\\$&')}"`

const pathWord = (path: string): string => `"${literal(path).replaceAll(/["\\]/g, '\\$&')}"`

const unit = (installation: Installation): string => {
  const { user, home, node, main, manual, systemdVersion, worker } = installation
  // In the name of the program systemd looks for no variables.
  const command = (name: string): string => `${pathWord(node)} ${quoteWord(main)} ${name}`
  return `${MARK}.
[Unit]
Description=Benchlog, the software of a lab bench
Documentation=${literal(pathToFileURL(manual).href)}
After=network.target systemd-modules-load.service
# A unit that cares for cultures never stays down by itself.
StartLimitIntervalSec=0

[Service]
Type=notify
# Node cannot send to systemd itself; a child of main does.
NotifyAccess=all
ExecStart=${command('start')}
# Whatever became of the unit, its outputs are driven safe.
ExecStopPost=${command('safe-state')}
Restart=always
RestartSec=${systemdVersion >= 254 ? '1\nRestartSteps=6\nRestartMaxDelaySec=60' : '5'}
# Main says that it and the services live; silence is answered by a kill, a core of Node helps nobody.
WatchdogSec=30
WatchdogSignal=SIGKILL
# Folding a long log after an update takes its time.
TimeoutStartSec=30min
TimeoutStopSec=10
# Main ends its children in order; what is left after it is killed.
KillMode=mixed
# A child that runs out of memory is started again by its parent.
OOMPolicy=continue
OOMScoreAdjust=-200
# A potentiostat's queue overflows after 0.7 s.
LimitNICE=-15

User=${user}
SupplementaryGroups=${GROUPS.join(' ')}
UMask=0077
WorkingDirectory=${literal(home)}
Environment=HARDWARE=real ${assignment('BENCHLOG_HOME', home)}${worker ? ` HTTP_PORT=${WORKER_PORT}` : ''}
EnvironmentFile=-${SETTINGS}

# It may write its data and what it drives; the rest of the machine it may not change.
ProtectSystem=strict
ReadWritePaths=${pathWord(home)}
ProtectHome=${[home, node, main].some((path) => /^\/(home|root|run\/user)\//.test(path)) ? 'read-only' : 'yes'}
PrivateTmp=yes
PrivateMounts=yes
# PWM is driven through files below /sys, so kernel tunables are not made read-only.
DevicePolicy=closed
DeviceAllow=char-i2c rw
DeviceAllow=char-gpiochip rw
DeviceAllow=char-ttyACM rw
NoNewPrivileges=yes
CapabilityBoundingSet=${worker ? LOW_PORTS : ''}
AmbientCapabilities=${worker ? LOW_PORTS : ''}
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
ProtectClock=yes
ProtectHostname=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
# The compiler of JavaScript writes code it executes, so MemoryDenyWriteExecute stays off.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`
}

const sysusers = ({ user, home }: Installation): string => `${MARK}.
u ${user} - "Benchlog" ${quoteWord(home)}
${GROUPS.map((group) => `g ${group} -\nm ${user} ${group}`).join('\n')}
`

/** The data directory is made before the service starts, whose view of the machine it is part of. */
const tmpfiles = ({ user, home }: Installation): string => `${MARK}.
d ${pathWord(home)} 0700 ${user} ${user} -
`

/** systemd resolves the device classes of the unit when it starts, so their drivers must be there before the first device is. */
const modules = (): string => `${MARK}.
i2c-dev
cdc_acm
`

const udevRules = (): string => `${MARK}.
# What the unit drives belongs to the groups its user is in.
SUBSYSTEM=="i2c-dev", GROUP="i2c", MODE="0660"
SUBSYSTEM=="gpio", KERNEL=="gpiochip*", GROUP="gpio", MODE="0660"
# PWM has no device node: its files below /sys appear with the chip and with each channel that is exported.
SUBSYSTEM=="pwm", ACTION=="add|change", RUN+="/bin/sh -c 'chgrp -R gpio /sys%p; chmod -R g=u /sys%p'"
# Instruments on serial ports; a modem manager must not try its commands on them.
${instruments
  .flatMap(({ serial }) => serial?.usb ?? [])
  .map(serialRule)
  .join('\n')}
`

const serialRule = ({ vendorId, productId }: UsbId): string =>
  `SUBSYSTEM=="tty", ATTRS{idVendor}=="${vendorId}", ATTRS{idProduct}=="${productId}", GROUP="dialout", MODE="0660", ENV{ID_MM_DEVICE_IGNORE}="1"`

/** systemd feeds the timer; a machine that stands still is reset, and the next start drives the outputs safe. */
const watchdog = (): string => `${MARK}.
[Manager]
RuntimeWatchdogSec=15s
RebootWatchdogSec=2min
`

/** DNS-SD: a Pioreactor's leader lists the host names that are announced so (26.7). Avahi reads the file as soon as it is there. */
const announcement = (): string => `<!-- ${MARK}. -->
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group>
  <name replace-wildcards="yes">Benchlog on %h</name>
  <service protocol="ipv4">
    <type>_pio-worker._tcp</type>
    <port>${WORKER_PORT}</port>
  </service>
</service-group>
`

const settingsFile = (): string => `${MARK}, once; yours from now on. One setting a line, see docs/settings.md.
# Only root may read this file. After a change: systemctl restart benchlog
#HOST=0.0.0.0
#BOX_API_KEY=
#UNIT_API_PASSWORD=
#MQTT_USERNAME=
#MQTT_PASSWORD=
`

/** All files of an installation. */
export function systemFiles(installation: Installation): readonly SystemFile[] {
  return [
    { path: `/etc/systemd/system/${SERVICE}`, content: unit(installation) },
    { path: '/etc/sysusers.d/benchlog.conf', content: sysusers(installation) },
    { path: '/etc/tmpfiles.d/benchlog.conf', content: tmpfiles(installation) },
    { path: '/etc/modules-load.d/benchlog.conf', content: modules() },
    { path: '/etc/udev/rules.d/70-benchlog.rules', content: udevRules() },
    ...(installation.hardwareWatchdog
      ? [{ path: '/etc/systemd/system.conf.d/benchlog-watchdog.conf', content: watchdog() }]
      : []),
    ...(installation.worker ? [{ path: '/etc/avahi/services/benchlog.service', content: announcement() }] : []),
    { path: SETTINGS, content: settingsFile(), mode: 0o600, keep: true },
  ]
}

/** What makes the files count, in order. */
export const activation: readonly (readonly [string, ...string[]])[] = [
  ['systemd-sysusers', '/etc/sysusers.d/benchlog.conf'],
  ['systemd-tmpfiles', '--create', '/etc/tmpfiles.d/benchlog.conf'],
  ['udevadm', 'control', '--reload'],
  ['udevadm', 'trigger'],
  // Reads the setting of the hardware watchdog as well.
  ['systemctl', 'daemon-reexec'],
  ['systemctl', 'enable', SERVICE],
  ['systemctl', 'restart', 'systemd-modules-load.service'],
]
