import { afterEach, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../events/system/commands.js'
import { createRandom } from '../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { give } from '../../support/give.js'
import { odCalibration, stirringCalibration } from '../../support/job-calibrations.js'
import { LitBioreactor } from '../../support/lit-bioreactor.js'

/** Sessions of the jobs in the in-process lab, message by message as clients see them. The recordings change only with what clients are
 * meant to notice; `vitest run --update` writes them anew. */

interface Session extends BioreactorLab {
  readonly bioreactor: LitBioreactor
  /** Lets the clock run while the bar turns. */
  turn(seconds: number): Promise<void>
  /** Starts a job, with the bar turning. */
  start(job: string, options?: Record<string, unknown>, more?: Parameters<BioreactorLab['begin']>[2]): Promise<void>
  stop(filter: Record<string, unknown>): Promise<void>
}

let open: BioreactorLab | undefined
afterEach(() => open?.close())

const RECORDED = ['pioreactor', 'potentiostat']

/** Writes down each message as time in s, `r` when retained, QoS, topic and payload; lines with `#` say what was asked for. */
async function record(name: string, script: (session: Session) => Promise<void>): Promise<void> {
  const bioreactor = new LitBioreactor(createRandom(11))
  const chance = createRandom(7)
  const lab = await startBioreactorLab({ bioreactor, random: () => chance.next() })
  open = lab
  const lines: string[] = []
  const { clock, broker, service } = lab
  const deliver = broker.deliver.bind(broker)
  broker.deliver = (topic, payload, retain, qos = 1) => {
    if (RECORDED.includes(topic.split('/')[0] ?? '')) {
      const at = (clock.monotonicMs() / 1000).toFixed(3).padStart(8)
      lines.push(`${at} ${retain ? 'r' : '-'}${qos} ${topic} ${payload.toString()}`)
    }
    deliver(topic, payload, retain, qos)
  }
  let stops = 0
  const session: Session = {
    ...lab,
    bioreactor,
    turn: (seconds) => bioreactor.turn(clock, seconds * 1000),
    async start(job, options, more) {
      lines.push(`# start ${job} ${JSON.stringify({ ...options, ...more })}`)
      const id = await lab.begin(job, options, more)
      for (let waited = 0; lab.task(id)['status'] === 'running' && waited < 30; waited++) {
        await bioreactor.turn(clock, 100)
      }
      const { status, error } = lab.task(id) as { status: string; error?: { message: string } }
      lines.push(`# ${status}${error === undefined ? '' : `: ${error.message}`}`)
    },
    async stop(filter) {
      lines.push(`# stop ${JSON.stringify(filter)}`)
      await give(service, stopJobsCommand, filter, `stop-${++stops}`)
      await clock.advance(100)
    },
    async set(job, setting, text, experiment) {
      lines.push(`# set ${job} ${setting} ${text}`)
      await lab.set(job, setting, text, experiment)
    },
  }
  await script(session)
  await service.stop()
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
    `${process.cwd()}/test/fixtures/recorded-sessions/${name}.txt`,
  )
}

test('stirring from start to stop, with every setting, good and bad', () =>
  record('stirring', async ({ start, set, turn, stop, bioreactor }) => {
    await start('stirring', { target_rpm: '400', duty_cycle: 25 }, { args: ['some-flag'] })
    await turn(30)
    await set('stirring', 'target_rpm', '450')
    await turn(25)
    for (const text of ['abc', '5001', '-1', '1e999', '']) await set('stirring', 'target_rpm', text)
    await set('stirring', 'duty_cycle', '42')
    await set('stirring', 'duty_cycle', '100.5')
    await set('stirring', 'measured_rpm', '1')
    await set('stirring', 'colour', 'red')
    await set('stirring', 'target_rpm_during_od_reading', '0')
    await set('stirring', 'enable_dodging_od', 'perhaps')
    await set('stirring', 'enable_dodging_od', 'yes')
    await set('stirring', 'enable_dodging_od', '0')
    await set('stirring', '$state', 'bogus')
    await set('stirring', '$state', 'init')
    await set('stirring', '$state', 'ready')
    await turn(25)
    await set('stirring', '$state', 'sleeping')
    await set('stirring', 'target_rpm', '500')
    await set('stirring', 'duty_cycle', '20')
    await turn(30)
    await set('stirring', '$state', 'ready')
    await turn(30)
    bioreactor.stalled = true
    await turn(25)
    bioreactor.stalled = false
    await set('stirring', 'target_rpm', '0')
    await turn(24)
    await set('stirring', 'target_rpm', '600')
    await turn(24)
    await start('stirring')
    await set('stirring', '$state', 'disconnected')
    await turn(1)
    await start('stirring', {}, { env: { EXPERIMENT: 'other' } })
    await turn(10)
    await stop({ experiment: 'other' })
  }))

test('stirring without control, and only measuring', () =>
  record('stirring-modes', async ({ start, set, turn, stop }) => {
    await start('stirring', { use_rpm: 'False', target_rpm: 300 })
    await set('stirring', 'target_rpm', '500')
    await set('stirring', 'duty_cycle', '33.3')
    await turn(30)
    await stop({ job_name: 'stirring' })
    await start('stirring', { 'measure-rpm-only': null, duty_cycle: 50 })
    await turn(60)
    await stop({ all: true })
  }))

test('starts that fail', () =>
  record('failed-starts', async ({ start, bioreactor }) => {
    await start('stirring', { speed: 1 })
    await start('stirring', { target_rpm: 'fast' })
    await start('stirring', { duty_cycle: 101 })
    await start('stirring', { duty_cycle: null })
    await start('stirring', {}, { config_overrides: [['stirring.config', 'pwm_hz']] })
    await start('stirring', {}, { env: { EXPERIMENT: 'a/b' } })
    await start('stirring', {}, { env: { ACTIVE: '0' } })
    await start('stirring', {}, { config_overrides: [['PWM', '1', '']] })
    await start('od_reading', {}, { config_overrides: [['leds', 'A', '']] })
    await start('od_reading', {}, { config_overrides: [['od_config.photodiode_channel', '2', '91']] })
    await start('od_reading', {}, { config_overrides: [['od_config.photodiode_channel', '4', '45']] })
    await start('od_reading', { interval: 0 })
    bioreactor.hatPresent = false
    await start('stirring')
    await start('od_reading')
    bioreactor.hatPresent = true
    bioreactor.heaterBoardPresent = false
    await start('stirring')
    bioreactor.heaterBoardPresent = true
    bioreactor.broken = true
    await start('stirring')
    await start('od_reading')
  }))

test('values of the configuration that a job cannot work with', () =>
  record('failed-starts-by-configuration', async ({ start }) => {
    for (const override of [
      ['stirring.config', 'pwm_hz', 'x'],
      ['stirring.config', 'pwm_hz', '0'],
      ['stirring.config', 'initial_target_rpm', '1501'],
      ['stirring.config', 'use_rpm', 'perhaps'],
      ['stirring.pid', 'Kp', ''],
    ]) {
      await start('stirring', {}, { config_overrides: [override] })
    }
    for (const override of [
      ['od_reading.config', 'samples_per_second', '0'],
      ['od_reading.config', 'ir_led_intensity', '101'],
      ['od_reading.config', 'pd_reference_ema', '1.5'],
    ]) {
      await start('od_reading', {}, { config_overrides: [override] })
    }
  }))

test('optical density from start to stop, with every setting, good and bad', () =>
  record('od_reading', async ({ start, set, clock, stop, bioreactor }) => {
    await start('od_reading', { interval: '4', ir_led_intensity: '85' })
    await clock.advance(20_000)
    await set('od_reading', 'interval', '10')
    await clock.advance(25_000)
    for (const text of ['0', 'nan', '-1', 'soon']) await set('od_reading', 'interval', text)
    await set('od_reading', 'interval', '1')
    await clock.advance(3000)
    await set('od_reading', 'interval', '5')
    await set('od_reading', 'ir_led_intensity', '101')
    await set('od_reading', 'ir_led_intensity', '95')
    await clock.advance(11_000)
    await set('od_reading', 'ods', '{}')
    await set('od_reading', '$state', 'sleeping')
    await clock.advance(11_000)
    await set('od_reading', '$state', 'ready')
    await clock.advance(11_000)
    bioreactor.referenceGain = 2
    await clock.advance(11_000)
    bioreactor.referenceGain = 1
    bioreactor.od = 0.3
    await clock.advance(21_000)
    await stop({ all: true })
    await start('od_reading', { snapshot: null })
    await clock.advance(10_000)
    const overrides = [
      ['od_reading.config', 'ir_led_intensity', 'auto'],
      ['od_reading.config', 'ref_normalization', 'classic'],
      ['od_reading.config', 'local_ac_hz', '50'],
      ['od_reading.config', 'use_dark_offsets', '0'],
      ['od_reading.config', 'turn_off_leds_during_reading', '0'],
    ]
    await start('od_reading', {}, { config_overrides: overrides })
    await clock.advance(11_000)
    await set('od_reading', '$state', 'disconnected')
    const angles = [
      ['od_config.photodiode_channel', '1', '45'],
      ['od_config.photodiode_channel', '3', '135'],
    ]
    await start('od_reading', {}, { config_overrides: angles })
    await clock.advance(11_000)
  }))

test('calibrated optical density, and a photodiode in danger', () =>
  record('od_reading-calibrated', async ({ start, set, clock, stop, bioreactor, calibrations, store }) => {
    calibrations.set('od90', odCalibration)
    await start('od_reading')
    await clock.advance(11_000)
    await set('od_reading', 'ir_led_intensity', '70')
    bioreactor.od = 0.25
    await clock.advance(21_000)
    await stop({ job_name: 'od_reading' })
    await start('od_reading', { ir_led_intensity: 70 })
    await clock.advance(11_000)
    await stop({ job_name: 'od_reading' })
    await store.write('od_blank', 'exp', { 2: 0.15 })
    await start('od_reading')
    calibrations.clear()
    await start('od_reading')
    await clock.advance(6000)
    bioreactor.od = 3.1
    await clock.advance(11_000)
    bioreactor.od = 3.5
    await clock.advance(15_000)
  }))

test('stirring around optical readings', () =>
  record('dodging', async ({ start, set, turn, stop, calibrations }) => {
    calibrations.set('stirring', stirringCalibration)
    await start('stirring', { target_rpm: 500, enable_dodging_od: 'true', target_rpm_outside_od_reading: 450 })
    await turn(3)
    await start('od_reading', { interval: 8 })
    await turn(20)
    await set('stirring', 'target_rpm_outside_od_reading', '600')
    await set('stirring', 'target_rpm_during_od_reading', '100')
    await turn(17)
    await set('od_reading', 'interval', '10')
    await turn(21)
    await set('stirring', 'enable_dodging_od', 'False')
    await turn(10)
    await set('stirring', 'enable_dodging_od', 'True')
    await turn(12)
    await stop({ job_name: 'od_reading' })
    await turn(10)
    await start('od_reading', { interval: 2 })
    await turn(5)
    await stop({ all: true })
  }))

test('losing the broker, and finding it again', () =>
  record('broker-away', async ({ start, turn, broker, connections, service, set, clock }) => {
    await start('stirring')
    await start('od_reading')
    await turn(7)
    await set('od_reading', '$state', 'sleeping')
    broker.setConnected(false)
    await service.suspend('the connection to the broker is lost')
    await turn(10)
    broker.setConnected(true)
    const resumed = service.resume()
    await turn(1)
    await resumed
    await turn(10)
    connections[0]?.die()
    await clock.advance(0)
  }))
