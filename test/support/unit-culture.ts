import type { MqttClient } from 'mqtt'
import { CALIBRATION } from '../../events/bioreactor/artifacts.js'
import { pumpCalibration } from './pump-calibration.js'
import type { Lab } from './start-lab.js'
import { until } from './until.js'
import { calibrationOfVial } from './vial-lab.js'

const PUMP_ML_PER_S = 0.0911

/** What a culture needs, beside the jobs that start with the unit, in the order in which they are started. */
export const CULTURE_JOBS = [
  'stirring',
  'od_reading',
  'growth_rate_calculating',
  'temperature_automation',
  'led_automation',
  'dosing_automation',
] as const

/** Calibrates a whole unit over MQTT and starts every job of a turbidostat over REST. @param target optical density */
export async function startUnitCulture(lab: Lab, experiment: string, target: number): Promise<void> {
  await calibrate(lab)
  const options: Readonly<Record<(typeof CULTURE_JOBS)[number], Readonly<Record<string, string>>>> = {
    stirring: {},
    od_reading: {},
    growth_rate_calculating: {},
    temperature_automation: { automation_name: 'thermostat', target_temperature: '37' },
    led_automation: { automation_name: 'light_dark_cycle' },
    dosing_automation: {
      automation_name: 'turbidostat',
      target_biomass: String(target),
      exchange_volume_ml: '0.5',
      biomass_signal: 'od',
    },
  }
  for (const job of CULTURE_JOBS) await run(lab, experiment, job, options[job])
}

/** The retained message of a topic, or the next one that is meant. */
export async function latest(client: MqttClient, topic: string, isMeant = (_: string) => true): Promise<string> {
  const received = new Promise<string>((resolve) => {
    client.on('message', (at, payload) => {
      if (at === topic && isMeant(payload.toString())) resolve(payload.toString())
    })
  })
  await client.subscribeAsync(topic, { qos: 1 })
  return received
}

async function calibrate({ connect, unit }: Lab): Promise<void> {
  const client = await connect()
  const { save } = CALIBRATION.commands
  const pumps = ['media', 'alt_media', 'waste'].map(
    (name) => [`${name}_pump`, { ...pumpCalibration(name, PUMP_ML_PER_S), dc: 100 }] as const,
  )
  for (const [device, data] of [...pumps, ['od90', calibrationOfVial()] as const]) {
    const order = save.encode(device, { device, data, set_as_active: true })
    await client.publishAsync(save.topic({ unit }), order, { qos: 1 })
    await latest(client, `system/${unit}/active_calibrations/${device}`)
  }
  await client.endAsync()
}

async function run(
  { get, send }: Lab,
  EXPERIMENT: string,
  job: string,
  options: Readonly<Record<string, string>>,
): Promise<void> {
  const order = { options, env: { EXPERIMENT, JOB_SOURCE: 'user' }, args: [], config_overrides: [] }
  const { body } = await send<{ result_url_path: string }>('POST', `/unit_api/jobs/run/job_name/${job}`, order)
  let task: { status: string; error?: string } = { status: 'pending' }
  await until(async () => {
    task = await get<typeof task>(body.result_url_path)
    return task.status === 'succeeded' || task.status === 'failed'
  }, `the start of ${job}`)
  if (task.status === 'failed') throw new Error(`${job} does not start: ${task.error}`)
}
