import { timestampOf } from '../../../events/core/timestamp.js'
import { sleepS } from '../../runtime/repeat.js'
import { isRailLow } from '../chips/rail-voltage.codec.js'
import type { MonitorContext, MonitorDeps } from './monitor.js'

/** How often the LED blinks for it. Source: Pioreactor 26.7. */
const CODES = { noNetwork: 1, diskFull: 3, hot: 6, lowVoltage: 7, webServer: 8 } as const

const MIN_DISK_GIB = 3
const MAX_CPU_C = 80
/** To which the supply's voltage is rounded. */
const RAIL_PRECISION_V = 0.05
const NETWORK_TRIES = 3
const NETWORK_PAUSE_S = 2

/** What a check finds: null when all is well. */
type Problem = { readonly message: string; readonly code?: number } | null

/** Looks at the computer and the board, publishes what it finds, and tells of problems in the log. A check that fails keeps no other one back.
 * @param webServer where that of the unit listens; null where none was heard of
 * @returns codes for the LED of the unit, one for each problem that has one */
export function createSelfCheck(
  job: MonitorContext,
  { bioreactor, machine }: MonitorDeps,
  webServer: () => string | null,
): () => Promise<number[]> {
  const now = (): string => timestampOf(job.clock.now())

  const checks: Readonly<Record<string, () => Promise<readonly Problem[]>>> = {
    async network() {
      let found = machine.network()
      for (let tries = 1; found.ipv4 === '127.0.0.1' && tries < NETWORK_TRIES; tries++) {
        await sleepS(job.clock, NETWORK_PAUSE_S, job.ending)
        found = machine.network()
      }
      job.publish('ipv4', found.ipv4)
      job.publish('wlan_mac_address', found.wlan)
      job.publish('eth_mac_address', found.eth)
      return [found.ipv4 === '127.0.0.1' ? { message: 'The unit has no network.', code: CODES.noNetwork } : null]
    },
    async computer() {
      const [gib, celsius] = await Promise.all([machine.freeDiskGib(), machine.cpuTemperatureC()])
      job.publish('computer_statistics', {
        available_disk_space: Math.round(gib * 100) / 100,
        cpu_temperature_celcius: celsius === null ? null : Math.round(celsius),
        timestamp: now(),
      })
      return [
        gib < MIN_DISK_GIB
          ? { message: `The disk is almost full: ${gib.toFixed(2)} GiB are free.`, code: CODES.diskFull }
          : null,
        celsius !== null && celsius > MAX_CPU_C
          ? { message: `The processor is too hot: ${celsius.toFixed(0)} °C.`, code: CODES.hot }
          : null,
      ]
    },
    async 'web server'() {
      const url = webServer()
      if (url === null || (await machine.webServerAnswers(url))) return [null]
      return [{ message: `The web server of the unit does not answer at ${url}.`, code: CODES.webServer }]
    },
    async HAT() {
      if (!(await bioreactor.isHatPresent())) return [{ message: 'No HAT identifies itself.' }]
      return [null]
    },
    async supply() {
      const volts = await bioreactor.readRailVolts(RAIL_PRECISION_V)
      job.publish('voltage_on_pwm_rail', { timestamp: now(), voltage: Math.round(volts * 100) / 100 })
      const isLow = isRailLow(volts, await bioreactor.isUnderVoltage())
      return [
        isLow
          ? {
              message: `The supply of heater, pumps and stirrer is too low: ${volts.toFixed(2)} V.`,
              code: CODES.lowVoltage,
            }
          : null,
      ]
    },
  }
  return async () => {
    const codes: number[] = []
    for (const [name, check] of Object.entries(checks)) {
      if (job.ending.aborted) break
      for (const problem of await check().catch((error: unknown) => [failed(name, error)])) {
        if (problem === null) continue
        job.log('warning', problem.message)
        if (problem.code !== undefined) codes.push(problem.code)
      }
    }
    return codes
  }
}

const failed = (name: string, error: unknown): NonNullable<Problem> => ({
  message: `The ${name} could not be checked: ${error instanceof Error ? error.message : String(error)}`,
})
