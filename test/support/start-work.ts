import { join } from 'node:path'
import { stringify } from 'yaml'
import { ActivePointers } from '../../services/bioreactor/calibrations/active-pointers.js'
import { outputsOn } from './bench-outputs.js'
import { putFile } from './calibration-files.js'
import { pumpCalibration } from './pump-calibration.js'
import type { Lab } from './start-lab.js'
import { until } from './until.js'

/** Everything that can be left on, by how `outputsOn` names it: stirrer, the pumps of media, alternative media and waste, heater, LEDs, cells. */
export const ACTUATORS: Readonly<Record<string, string>> = {
  stirrer: 'pwm 17',
  'media pump': 'pwm 13',
  'alt_media pump': 'pwm 16',
  'waste pump': 'pwm 12',
  heater: 'pwm 18',
  LEDs: 'led',
  cells: 'cell',
}

/** What drives them. */
export const JOBS = [
  'stirring',
  'od_reading',
  'led_intensity',
  'temperature_automation',
  'add_media',
  'add_alt_media',
  'remove_waste',
]

/** So long a measurement may take until its cells are on. */
const AGAIN_MS = 3000

/** Names of the actuators that are on. */
function actuatorsOn(home: string): readonly string[] {
  const on = outputsOn(home)
  return Object.entries(ACTUATORS).flatMap(([name, output]) => (on.some((one) => one.startsWith(output)) ? [name] : []))
}

/** Waits until everything is off. @returns when each was seen on last, s from the call on */
export async function secondsUntilOff(home: string, limitMs: number): Promise<Readonly<Record<string, number>>> {
  const startMs = performance.now()
  const seconds = Object.fromEntries(Object.keys(ACTUATORS).map((name) => [name, 0]))
  const look = (): boolean => {
    const on = actuatorsOn(home)
    for (const name of on) seconds[name] = (performance.now() - startMs) / 1000
    return on.length === 0
  }
  await until(look, () => `safe outputs, but on is: ${outputsOn(home)}`, limitMs)
  return seconds
}

/** How fast the pumps are, mL/s: so slow that the vial has room for a dose of minutes. The virtual pumps move that at this duty cycle. */
export const ML_PER_S = 0.00911
const PUMP_DUTY = 10
/** s of the unit's time */
const DOSE_S = 240

/** A first temperature is told, and heated upon, when the heater was off for so long, s of the unit's time from its start on. */
const REST_S = 10
/** So that this does not take long; a potentiostat is not to lose samples on a busy machine. */
export const WORK_ENV = { SIMULATION_SPEED: '2' }

/** Everything at once: stirring, optical density, an LED, the thermostat, all three pumps and a long measurement. Resolves with the run's id once all
 * of it is on. */
export async function startWork(lab: Lab): Promise<string> {
  const started = await unitTimeS(lab)
  calibratePumps(join(lab.home, '.pioreactor'))
  await until(
    async () =>
      (await lab.get<{ connected?: boolean }[]>('/devices')).filter(({ connected }) => connected).length === 2,
    'slots',
  )
  const run = (job: string, options: Record<string, unknown> = {}): Promise<{ status: number }> =>
    lab.send('POST', `/unit_api/jobs/run/job_name/${job}`, { options, env: { EXPERIMENT: 'crash' } })
  const isOn = (actuator: string): boolean => actuatorsOn(lab.home).includes(actuator)
  await run('led_intensity', { B: 20 })
  await run('stirring')
  await until(
    () => isOn('LEDs'),
    () => `an LED to shine\n${lab.output()}`,
  )
  await run('od_reading')
  for (const pump of ['add_media', 'add_alt_media', 'remove_waste']) await run(pump, { duration: DOSE_S })
  await until(async () => (await unitTimeS(lab)) > started + REST_S, 'the heater to have rested')
  await run('temperature_automation', { automation_name: 'thermostat', target_temperature: 37 })
  await until(
    () => isOn('heater'),
    () => `the heater to be on\n${lab.output()}`,
  )
  const all = Object.keys(ACTUATORS).length
  let runId = ''
  let measured = Number.NEGATIVE_INFINITY
  const isAllOn = async (): Promise<boolean> => {
    if (actuatorsOn(lab.home).length === all) return true
    // A busy machine may cost so fast a measurement samples, and so its end: then there is another one.
    if (isOn('cells') || performance.now() < measured + AGAIN_MS) return false
    measured = performance.now()
    runId = (await measure(lab)) ?? runId
    return false
  }
  await until(isAllOn, () => `outputs to be on, but on is: ${outputsOn(lab.home)}\n${lab.output()}`, 40_000)
  return runId
}

/** Resolves with the id of a run, or with null when it was refused for now. */
async function measure(lab: Lab): Promise<string | null> {
  const { status, body } = await lab.send<{ run_id: string }>('POST', '/jobs', {
    devices: 'all',
    modes: ['CA'],
    params_by_mode: { CA: { potential: 0.3, duration: 2400 } },
    tia_gain: 1,
    experiment_name: 'crash',
    client_datetime: '2026-01-01T00-00-00',
    make_plot: false,
  })
  return status === 200 ? body.run_id : null
}

const unitTimeS = async (lab: Lab): Promise<number> =>
  Date.parse((await lab.get<{ utc_time: string }>('/unit_api/health')).utc_time) / 1000

function calibratePumps(dotPioreactor: string): void {
  const active = new ActivePointers(dotPioreactor, 'active_calibrations')
  for (const pump of ['media', 'alt_media', 'waste']) {
    const calibration = { ...pumpCalibration(pump, ML_PER_S), dc: PUMP_DUTY }
    const { calibration_name: name } = calibration
    putFile(dotPioreactor, `calibrations/${pump}_pump/${name}.yaml`, stringify(calibration))
    active.set(`${pump}_pump`, name)
  }
}
