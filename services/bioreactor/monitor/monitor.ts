import { Type } from '@sinclair/typebox'
import { identifyOrder } from '../../../events/bioreactor/orders.js'
import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import { Voltage } from '../../../events/bioreactor/readings.js'
import { defineJob, type ParametersOf, type SettingsOf } from '../../../events/core/define-job.js'
import { Timestamp, timestampOf } from '../../../events/core/timestamp.js'
import { UNIT_API_VERSION } from '../../../events/system/unit-api.js'
import { webServerEvent } from '../../../events/system/web-server.js'
import { type Activity, createJob, type Job, type JobContext } from '../../jobs/job.js'
import { type Repeating, repeat, sleepS } from '../../runtime/repeat.js'
import type { Bioreactor } from '../board/board.js'
import { watchButton } from '../board/button.js'
import { errorCode, identify, StatusLed } from '../board/status-led.js'
import type { Machine } from './machine.js'
import { createSelfCheck } from './self-check.js'

const ComputerStatistics = Type.Object({
  available_disk_space: Type.Number({ minimum: 0, unit: 'GiB' }),
  cpu_temperature_celcius: Type.Union([Type.Integer({ unit: '℃' }), Type.Null()]),
  timestamp: Timestamp,
})

const Versions = Type.Partial(
  Type.Object({
    app: Type.String(),
    hat: Type.String(),
    firmware: Type.String(),
    hat_serial: Type.String(),
    rpi_machine: Type.String(),
    timestamp: Type.String(),
  }),
)
const VERSION_NAMES = Object.keys(Versions.properties)

const SECTION = 'monitor.config'
const address = (doc: string) => ({ schema: Type.String(), doc, published: true }) as const

/** Source of names and defaults: Pioreactor 26.7 `monitor`. What it does of safety is done by the output watchdog, twice a second and without this job. */
export const monitor = defineJob({
  name: 'monitor',
  help: 'Watch the unit and the computer it runs on, answer its button and blink its LED.',
  resident: true,
  longRunning: true,
  parameters: {
    computer_statistics: {
      schema: ComputerStatistics,
      doc: 'Free room on the disk, and temperature of the processor where the computer tells it.',
      published: true,
      valuePath: 'available_disk_space',
    },
    button_down: { schema: Type.Boolean(), doc: 'Whether the button of the unit is pressed.', published: true },
    versions: {
      schema: Versions,
      doc: 'Versions of software, HAT and firmware, serial number of the HAT, model of the computer; an order changes the named ones.',
      settable: true,
    },
    voltage_on_pwm_rail: {
      schema: Voltage,
      doc: 'Supply of heater, pumps and stirrer, in V.',
      published: true,
      valuePath: 'voltage',
    },
    ipv4: address('IPv4 addresses of the unit.'),
    wlan_mac_address: address('Hardware addresses of its wireless interfaces.'),
    eth_mac_address: address('Hardware addresses of its wired interfaces.'),
    enable_button: {
      schema: Type.Boolean(),
      doc: 'Whether the button is watched; auto leaves it alone on a computer with a single core.',
      keywords: ['auto'],
      config: [SECTION, 'enable_button'],
      default: 'auto',
    },
    self_check_interval_hours: {
      schema: Type.Number({ minimum: 0, maximum: 500 }),
      unit: 'h',
      doc: 'How often the unit is checked; 0 is once, at the start.',
      config: [SECTION, 'self_check_interval_hours'],
      default: 12,
    },
  },
})
export type MonitorContext = JobContext<SettingsOf<typeof monitor>>

export interface MonitorDeps {
  readonly bioreactor: Bioreactor
  readonly machine: Machine
}

/** From `ready` to the first check, s. */
const FIRST_CHECK_S = 5

export const createMonitorJob = (deps: MonitorDeps): Job =>
  createJob(monitor, (job, params) => startMonitor(job, params, deps))

async function startMonitor(
  job: MonitorContext,
  params: ParametersOf<typeof monitor>,
  deps: MonitorDeps,
): Promise<Activity<SettingsOf<typeof monitor>>> {
  const { bioreactor, machine } = deps
  const led = await openLed(job, bioreactor)
  let webServer: string | null = null
  await job.follow(webServerEvent.filter({ unit: job.unit }), ({ payload }) => {
    webServer = payload.length === 0 ? null : webServerEvent.parse(payload.toString()).url
  })
  const selfCheck = createSelfCheck(job, deps, () => webServer)
  let checking: Repeating | null = null

  await followBlinkOrders(job, led)
  const watched = params.enable_button === 'auto' ? machine.cores > 1 : params.enable_button
  if (watched) await watchUnitButton(job, bioreactor, led)
  job.publish('button_down', false)
  job.publish('versions', await readVersions(job, bioreactor))

  const check = async (): Promise<void> => {
    for (const code of await selfCheck()) await led.blink(errorCode(code))
  }
  return {
    setters: {
      versions: {
        apply(changes) {
          const known = Object.entries(changes).filter(([name]) => VERSION_NAMES.includes(name))
          job.publish('versions', { ...job.value('versions'), ...Object.fromEntries(known) })
        },
      },
    },
    begin() {
      watchConnection(job, led)
      job.log('notice', `${job.unit} is online.`)
      void led.blink(identify)
      const hours = params.self_check_interval_hours
      if (hours === 0) {
        void sleepS(job.clock, FIRST_CHECK_S, job.ending).then(() => (job.ending.aborted ? undefined : check()))
        return
      }
      const timer = repeat({
        clock: job.clock,
        intervalS: hours * 3600,
        runAfterS: FIRST_CHECK_S,
        immediately: true,
        tick: check,
        onError: (error) => job.logger.error({ err: error }, 'check of the unit failed'),
      })
      checking = timer
      job.atEnd(() => void timer.stop())
      if (job.state === 'sleeping') timer.pause()
    },
    async sleep() {
      checking?.pause()
      await led.set(false)
    },
    async wake() {
      checking?.resume()
    },
  }
}

/** From one look at the connection to the next, s. */
const LOOK_S = 2
const NO_BROKER_CODE = 2

/** As long as the broker is away nothing else can tell so: the LED does, also of a monitor that the outage has put to sleep. */
function watchConnection(job: MonitorContext, led: Led): void {
  let isTold = false
  const timer = repeat({
    clock: job.clock,
    intervalS: LOOK_S,
    async tick() {
      if (job.isConnected) {
        isTold = false
        return
      }
      if (!isTold) job.log('warning', 'The broker cannot be reached.')
      isTold = true
      await led.blink(errorCode(NO_BROKER_CODE))
    },
    onError: (error) => job.logger.error({ err: error }, 'connection not watched'),
  })
  job.atEnd(() => void timer.stop())
}

/** The LED of the unit, or of one without HAT; what it does not show is told once. */
interface Led {
  set(on: boolean): Promise<void>
  /** Resolves when the pattern has ended, with false when it was not shown. */
  blink(pattern: Parameters<StatusLed['blink']>[0]): Promise<boolean>
}

async function openLed(job: MonitorContext, { gpio, board }: Bioreactor): Promise<Led> {
  let told = false
  const failed = (error: unknown): false => {
    if (!told) job.log('warning', `The LED of the unit cannot be used: ${messageOf(error)}`)
    told = true
    return false
  }
  let led: StatusLed
  try {
    led = new StatusLed(await gpio.openOutput(board.statusLedPin), job.clock)
  } catch (error) {
    failed(error)
    return { set: async () => undefined, blink: async () => false }
  }
  job.atEnd(() => led.close())
  return {
    set: (on) =>
      led
        .set(on)
        .catch(failed)
        .then(() => undefined),
    blink: (pattern) => led.blink(pattern).catch(failed),
  }
}

async function followBlinkOrders(job: MonitorContext, led: Led): Promise<void> {
  const answerOrder = async (): Promise<void> => {
    if (await led.blink(identify)) job.repeatState()
  }
  for (const unit of [job.unit, '$broadcast']) {
    await job.follow(identifyOrder.filter({ unit }), ({ payload }) => {
      if (payload.length > 0) void answerOrder()
    })
  }
  await job.follow(errorCodeEvent.filter({ unit: job.unit }), ({ payload }) => {
    const code = Number(payload.toString())
    if (Number.isInteger(code) && code >= 1 && code <= MAX_CODE) void led.blink(errorCode(code))
  })
}

/** Nobody counts further, and the LED must become free for another one. */
const MAX_CODE = 20

async function watchUnitButton(job: MonitorContext, { gpio, board }: Bioreactor, led: Led): Promise<void> {
  try {
    const end = await watchButton(gpio, board.buttonPin, job.clock, (pressed) => {
      if (job.state !== 'ready') return
      job.publish('button_down', pressed)
      if (pressed) job.repeatState()
      void led.set(pressed)
    })
    job.atEnd(end)
  } catch (error) {
    job.log('warning', `The button of the unit cannot be used: ${messageOf(error)}`)
  }
}

async function readVersions({ clock }: MonitorContext, bioreactor: Bioreactor) {
  const { hat, hatSerialNumber, computer } = bioreactor.identity
  const firmware = await bioreactor.readFirmwareVersion().catch(() => null)
  return {
    app: UNIT_API_VERSION,
    hat: hat ?? UNKNOWN,
    firmware: firmware ?? UNKNOWN,
    hat_serial: hatSerialNumber,
    rpi_machine: computer,
    timestamp: timestampOf(clock.now()),
  }
}

/** What a leader's pages take for unknown. */
const UNKNOWN = ''

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
