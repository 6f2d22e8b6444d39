import type { Config } from '../config.js'
import { LED_CHANNELS } from '../services/bioreactor/board/board.js'
import { boardOptions } from '../services/bioreactor/board/board-settings.js'
import { stockConfig } from '../services/unit-admin/config/stock-config.js'
import { readUnitConfig, type UnitConfig } from '../services/unit-admin/config/unit-config.js'
import { type Angle, angles } from '../simulation/bioreactor/optics.js'
import { loads } from '../simulation/bioreactor/physical-vial.js'
import type { BenchOptions } from '../simulation/virtual-bench.js'

type BenchSetup = Pick<
  BenchOptions,
  'hat' | 'modelName' | 'modelVersion' | 'culture' | 'parameters' | 'loads' | 'irChannel' | 'angles'
>

/** The simulated bioreactor as the unit's settings and configuration describe the real one: HAT and vessel, volumes, what hangs on which PWM and LED channel, where the
 * photodiodes look. What a file says wrongly is for the jobs to refuse; the bench then is as the stock configuration has it.
 * @throws InvalidInput when a file cannot be read. */
export async function readBenchSetup({
  dotPioreactor,
  instruments,
}: Pick<Config, 'dotPioreactor' | 'instruments'>): Promise<BenchSetup> {
  const config = await readUnitConfig(dotPioreactor, stockConfig(dotPioreactor, []))
  const amount = (option: string, most = Number.POSITIVE_INFINITY): number | undefined => {
    const value = Number.parseFloat(config.find('bioreactor', option) ?? '')
    return value >= 0 && value <= most ? value : undefined
  }
  const [volumeMl, effluxMl] = [amount('initial_volume_ml'), amount('efflux_tube_volume_ml')]
  const altMediaFraction = amount('initial_alt_media_fraction', 1)
  const irChannel = LED_CHANNELS.find((channel) => channel === config.channelOf('leds', 'IR'))
  const { hat, model } = boardOptions(instruments['bioreactor'] ?? {})
  return {
    ...(hat === undefined ? {} : { hat }),
    ...model,
    culture: {
      ...(volumeMl === undefined ? {} : { volumeMl }),
      ...(altMediaFraction === undefined ? {} : { altMediaFraction }),
    },
    parameters: effluxMl === undefined ? {} : { effluxMl },
    loads: labelled(config, 'PWM', loads),
    ...(irChannel === undefined ? {} : { irChannel }),
    angles: photodiodes(config),
  }
}

/** Options of a section whose values are among those that mean something. */
function labelled<T extends string>(config: UnitConfig, section: string, known: readonly T[]): Record<string, T> {
  const pairs = config.entries(section).flatMap(([option, value]) => {
    const meant = known.find((label) => label === value)
    return meant === undefined ? [] : [[option, meant] as const]
  })
  return Object.fromEntries(pairs)
}

const photodiodes = (config: UnitConfig): Record<string, Angle> =>
  Object.fromEntries(
    Object.entries(labelled(config, 'od_config.photodiode_channel', angles)).map(([channel, angle]) => [
      `pd${channel}`,
      angle,
    ]),
  )
