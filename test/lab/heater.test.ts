import { afterAll, expect, it } from 'vitest'
import { outputsOn } from '../support/bench-outputs.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

/** As for every other output: heartbeat timeout, and the guardian's run. */
const SAFE_WITHIN_MS = 3000
const SILENCE_NOTICED_MS = 2500
const HEATER = 'pwm 18'

const home = createLabHome()
afterAll(() => home.remove())

const isHeating = (): boolean => outputsOn(home.home).some((on) => on.startsWith(HEATER))

async function heat(lab: Lab): Promise<void> {
  const started = async (): Promise<boolean> => {
    const { status } = await lab.send('POST', '/unit_api/jobs/run/job_name/temperature_automation', {
      options: { automation_name: 'thermostat', target_temperature: 37 },
      env: { EXPERIMENT: 'heater' },
    })
    return status < 300 && isHeating()
  }
  await until(started, () => `the heater to be on\n${lab.output()}`, 20_000)
}

it('a heater whose services are killed or hang goes off, and the log says what became of its job', {
  timeout: 90_000,
}, async () => {
  // A first temperature is told, and heated upon, ten seconds of the unit's time after the services began.
  const lab = await home.start({ SIMULATION_SPEED: '60' })
  const client = await lab.connect()
  const states: string[] = []
  client.on('message', (_, payload) => states.push(payload.toString()))
  await client.subscribeAsync('pioreactor/lab/heater/temperature_automation/$state', { qos: 1 })
  for (const [signal, withinMs] of [
    ['SIGKILL', SAFE_WITHIN_MS],
    ['SIGSTOP', SAFE_WITHIN_MS + SILENCE_NOTICED_MS],
  ] as const) {
    await heat(lab)
    states.length = 0
    process.kill(lab.servicesPid(), signal)
    await until(() => !isHeating(), `the heater to be off after ${signal}`, withinMs)
    await until(() => states.includes('lost'), 'the truth of the job', 20_000)
    expect(isHeating()).toBe(false)
  }
  await client.endAsync()
})
