import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import type { UnitConfig } from '../../../unit-admin/config/unit-config.js'
import type { BioreactorModel } from '../../board/hardware-tables.js'
import { readPhotodiodes } from '../../od/od-optics.js'
import type { Executor } from '../executor-port.js'

const SECTION = 'od_reading.config'
const STOCK_INTENSITY = 80

/** Intensity of the IR LED that calibrations of light hold for, %. @throws SessionRefused unless the configuration has a number */
export function irIntensity(config: UnitConfig): number {
  const text = config.find(SECTION, 'ir_led_intensity')?.trim() || String(STOCK_INTENSITY)
  const percent = Number(text)
  if (percent > 0 && percent <= 100) return percent
  throw new SessionRefused(
    `[${SECTION}] ir_led_intensity is '${text}'; calibrating needs a number above 0, up to 100 %.`,
    {
      details: { section: SECTION, option: 'ir_led_intensity' },
    },
  )
}

/** @throws SessionRefused while somebody else uses light or stirrer, or when the intensity is up to the software */
export function demandOptics(config: UnitConfig, executor: Executor): void {
  irIntensity(config)
  executor.demandIdle(['stirring', 'od_reading', 'self_test'])
}

/** Angles of an estimator that combines photodiodes. */
export const FUSED_ANGLES = ['45', '90', '135']

/** @throws SessionRefused where the vessel has no room for three photodiodes, or one of them is not labelled */
export function demandThreeAngles(config: UnitConfig, { model_name }: BioreactorModel): void {
  if (!model_name.endsWith('_XR')) {
    throw new SessionRefused(`The vessel is a ${model_name}; three angles are seen in XR models alone.`)
  }
  const labelled = readPhotodiodes(config).signals.map(({ angle }) => angle as string)
  const missing = FUSED_ANGLES.filter((angle) => !labelled.includes(angle))
  if (missing.length > 0) {
    throw new SessionRefused(`No photodiode is labelled ${missing.join(' or ')}; 45, 90 and 135 are needed.`)
  }
}
