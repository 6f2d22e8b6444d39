import { join } from 'node:path'
import { InvalidDeclaration } from '../../../events/core/check-declaration.js'
import type { LabError } from '../../../events/core/errors.js'
import type { Parameters } from '../../../events/core/parameter.js'
import { encodeValue } from '../../../events/core/values.js'
import { type IniSections, mergeIni } from './ini.js'

const STORED = [
  ['database', 'pioreactor.sqlite'],
  ['temporary_cache', 'local_intermittent_pioreactor_metadata.sqlite'],
  ['persistent_cache', 'local_persistent_pioreactor_metadata.sqlite'],
] as const

/** What no job of ours declares: wiring, cluster, user interface, and sections that clients look for although their jobs are not built
 * yet. Source: stock configuration of Pioreactor 26.7. */
const UNDECLARED = {
  PWM: { 1: 'stirring', 2: 'media', 3: 'alt_media', 4: 'waste', 5: 'heating' },
  leds: { A: 'IR', B: '', C: '', D: '' },
  'od_config.photodiode_channel': { 1: 'REF', 2: '90', 3: '', 4: '' },
  bioreactor: {
    efflux_tube_volume_ml: '15',
    initial_volume_ml: '15',
    initial_alt_media_fraction: '0',
    initial_cumulative_media_added_ml: '0',
    initial_cumulative_alt_media_added_ml: '0',
    initial_cumulative_waste_removed_ml: '0',
  },
  storage: { number_of_backup_replicates_to_workers: '2' },
  logging: {
    log_file: '/var/log/pioreactor.log',
    ui_log_file: '/var/log/pioreactor.log',
    ui_log_level: 'INFO',
    console_log_level: 'DEBUG',
  },
  'cluster.topology': { leader_hostname: '', leader_address: '' },
  'cluster.addresses': {},
  mqtt: {
    username: 'pioreactor',
    password: 'raspberry',
    broker_address: '',
    broker_port: '1883',
    broker_ws_port: '9001',
    ws_protocol: 'ws',
    use_tls: '0',
  },
  ui: { domain_alias: 'pioreactor.local', port: '80', proto: 'http' },
  'ui.overview.settings': {
    filtered_od_lookback_hours: '50000',
    raw_od_lookback_hours: '50000',
    time_display_mode: 'clock_time',
  },
  'ui.overview.charts': {
    optical_density: '1',
    normalized_optical_density: '1',
    implied_growth_rate: '1',
    temperature: '1',
    implied_daily_growth_rate: '0',
    raw_optical_density: '0',
    current_volume_ml: '0',
    fused_optical_density: '0',
    fraction_of_volume_that_is_alternative_media: '0',
  },
  'ui.overview.cards': { dosings: '1', event_logs: '1', profiles: '1' },
  local_access_point: { ssid: 'pioreactor', passphrase: 'raspberry', proto: 'rsn' },
}

/** The configuration of a unit without configuration files: what the jobs declare, and what belongs to none of them.
 * @throws InvalidDeclaration when two defaults contradict each other. */
export function stockConfig(dotPioreactor: string, jobs: readonly { readonly parameters: Parameters }[]): IniSections {
  const storage = STORED.map(([option, file]) => [option, join(dotPioreactor, 'storage', file).replaceAll('%', '%%')])
  const undeclared = Object.entries({
    ...UNDECLARED,
    storage: { ...Object.fromEntries(storage), ...UNDECLARED['storage'] },
  })
  return mergeIni(
    new Map(undeclared.map(([section, options]) => [section, new Map(Object.entries(options))])),
    declared(jobs),
  )
}

function declared(jobs: readonly { readonly parameters: Parameters }[]): IniSections {
  const sections = new Map<string, Map<string, string>>()
  for (const { config, default: standard } of jobs.flatMap(({ parameters }) => Object.values(parameters))) {
    if (config === undefined || standard === undefined) continue
    const [section, option] = config
    const options = sections.get(section) ?? new Map<string, string>()
    sections.set(section, options)
    const text = encodeValue(standard)
    const other = options.get(option)
    if (other !== undefined && other !== text) throw contradiction(section, option, other, text)
    options.set(option, text)
  }
  return sections
}

const contradiction = (section: string, option: string, one: string, other: string): LabError =>
  new InvalidDeclaration(`[${section}] ${option} is declared with two defaults, '${one}' and '${other}'.`)
