import type { Machine } from '../../services/bioreactor/monitor/machine.js'
import type { Inoculum, VialParameters } from '../../simulation/bioreactor/vial.js'
import { pumpCalibration } from './pump-calibration.js'
import { calibrationOfVial, startVialLab, type VialLab } from './vial-lab.js'

const PUMP_ML_PER_S = 0.0911

/** A computer that is always the same. */
const machine: Machine = {
  cores: 4,
  freeDiskGib: async () => 12,
  cpuTemperatureC: async () => 50,
  network: () => ({ ipv4: '10.0.0.7', wlan: 'aa:bb:cc:dd:ee:ff', eth: 'Not available' }),
  webServerAnswers: async () => true,
}

export interface CultureOptions {
  readonly seed?: number
  readonly inoculum?: Inoculum
  readonly parameters?: Partial<VialParameters>
  /** Automation with its settings. */
  readonly dosing: { readonly automation_name: string; readonly [setting: string]: unknown }
  readonly config_overrides?: string[][]
}

/** Every job of a unit at once on one virtual vial: stirring, readings of OD, growth rate, thermostat, light, monitor, and a dosing automation. */
export async function startCulture({
  seed = 7,
  inoculum = {},
  parameters = {},
  dosing,
  config_overrides = [],
}: CultureOptions): Promise<VialLab> {
  const lab = await startVialLab({ seed, culture: inoculum, parameters }, { residents: true, machine })
  for (const name of ['media', 'alt_media', 'waste']) {
    lab.calibrations.set(`${name}_pump`, { ...pumpCalibration(name, PUMP_ML_PER_S), dc: 100 })
  }
  lab.calibrations.set('od90', calibrationOfVial())
  const jobs: [string, Record<string, unknown>][] = [
    ['stirring', {}],
    ['od_reading', {}],
    ['growth_rate_calculating', {}],
    ['temperature_automation', { automation_name: 'thermostat', target_temperature: 37 }],
    ['led_automation', { automation_name: 'light_dark_cycle' }],
    ['dosing_automation', dosing],
  ]
  for (const [name, options] of jobs) {
    const { status, error } = await lab.run(name, options, { config_overrides })
    if (status !== 'succeeded') throw new Error(`${name} did not start: ${JSON.stringify(error)}`)
  }
  return lab
}
