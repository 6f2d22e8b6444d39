import type { ConfigSections } from '../../../events/config/config.js'
import { MalformedConfig } from '../../../events/config/errors.js'
import { DEFAULT_SECTION, type IniSections, readOption } from './ini.js'

/** It is one message; a unit has 8000. Options of `[DEFAULT]` appear in every section, so two small files could give a very long text. */
const MAX_LENGTH = 200_000

type Options = Readonly<Record<string, string | null>>

/** The configuration as clients read it: references resolved, options of `[DEFAULT]` in every section, and the sections that are derived:
 * `leds_reverse`, `PWM_reverse`, `cluster.addresses`. Source: `unit-api-behaviour` §8.4.
 * @throws MalformedConfig naming the option that cannot be read, or what is missing of `[cluster.topology]`. */
export function renderConfig(sections: IniSections): ConfigSections {
  const shared = [...(sections.get(DEFAULT_SECTION)?.keys() ?? [])]
  const rendered = new Map<string, Options>()
  let length = 0
  for (const [section, own] of sections) {
    if (section === DEFAULT_SECTION) continue
    const options: [string, string | null][] = []
    for (const option of new Set([...shared, ...own.keys()])) {
      const value = readOption(sections, section, option) ?? null
      length += section.length + option.length + (value?.length ?? 0)
      if (length > MAX_LENGTH) throw tooLarge()
      options.push([option, value])
    }
    rendered.set(section, Object.fromEntries(options))
  }
  for (const [source, target] of REVERSED) {
    const options = rendered.get(source)
    if (options !== undefined) rendered.set(target, reversed(options))
  }
  const channels = rendered.get(CHANNELS)
  if (channels !== undefined)
    rendered.set(CHANNELS, Object.fromEntries(Object.entries(channels).filter(([, angle]) => angle !== '')))
  rendered.set(ADDRESSES, withLeader(rendered))
  return Object.fromEntries(rendered)
}

const CHANNELS = 'od_config.photodiode_channel'
const ADDRESSES = 'cluster.addresses'
const TOPOLOGY = 'cluster.topology'
const REVERSED = [
  ['leds', 'leds_reverse'],
  ['PWM', 'PWM_reverse'],
] as const

/** By label; channels without one are left out. */
const reversed = (options: Options): Options =>
  Object.fromEntries(Object.entries(options).flatMap(([channel, label]) => (label ? [[label, channel]] : [])))

function withLeader(rendered: ReadonlyMap<string, Options>): Options {
  const topology = rendered.get(TOPOLOGY) ?? {}
  const [name, address] = ['leader_hostname', 'leader_address'].map((option) => {
    const value = topology[option]
    if (typeof value === 'string') return value
    throw new MalformedConfig(`[${TOPOLOGY}] has no ${option}.`, { details: { section: TOPOLOGY, option } })
  })
  const addresses = rendered.get(ADDRESSES) ?? {}
  // A unit of its own has no leader.
  return name === undefined || name === '' ? addresses : { ...addresses, [name]: address ?? '' }
}

const tooLarge = () =>
  new MalformedConfig(`The merged configuration is longer than ${MAX_LENGTH} characters.`, {
    details: { limit: MAX_LENGTH },
  })
