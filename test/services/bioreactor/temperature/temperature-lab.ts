import { expect } from 'vitest'
import type { AutomationEvent } from '../../../../events/bioreactor/automations.js'
import type { LogMessage } from '../../../../events/bioreactor/logs.js'
import type { PwmBoard } from '../../../../services/bioreactor/board/pwm-board.js'
import type { Board } from '../../../../services/bioreactor/index.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { HeatedBioreactor } from './heated-bioreactor.js'

export const JOB = 'temperature_automation'
export const PERIOD_S = 200
/** From the start to the first inference, and what one takes. */
export const FIRST_AFTER_S = 95
export const INFERENCE_S = 20 * 5.3 + 0.3
/** From one look at the probe to the next. */
export const GUARD_S = 5
/** By then nobody has to wonder about a heater that was on before the services began. */
const RESTED_S = 10

export interface TemperatureLab {
  readonly lab: BioreactorLab
  readonly bioreactor: HeatedBioreactor
  readonly clock: FakeClock
  readonly pwm: PwmBoard
  /** Lets so many pass. */
  seconds(count: number): Promise<void>
  /** Starts an automation. @returns the task's record */
  run(automation: string, options?: Record<string, unknown>): Promise<Record<string, unknown>>
  thermostat(target?: number): Promise<Record<string, unknown>>
  /** What was published below the experiment and is not a clearing. */
  texts(path: string): string[]
  temperatures(): { readonly temperature: number; readonly timestamp: string }[]
  events(): AutomationEvent[]
  logged(level: string): string[]
  state(): string | undefined
  end(): Promise<void>
}

/** A job service on virtual time with a heater, a probe and a vial. */
export async function startTemperatureLab({
  broker = new MemoryBroker(),
  clock = new FakeClock(),
}: {
  readonly broker?: MemoryBroker
  readonly clock?: FakeClock
} = {}): Promise<TemperatureLab> {
  const bioreactor = new HeatedBioreactor(clock)
  const boards: PwmBoard[] = []
  const jobs = ({ pwm }: Board) => {
    boards.push(pwm)
    return []
  }
  const lab = await startBioreactorLab({ bioreactor, broker, clock, jobs })
  const texts = (path: string): string[] => lab.published(path).filter((text) => text !== '')
  const run: TemperatureLab['run'] = (automation_name, options = {}) => lab.run(JOB, { automation_name, ...options })
  await clock.advance(RESTED_S * 1000)
  return {
    lab,
    bioreactor,
    clock,
    pwm: boards[0] ?? expect.fail(),
    seconds: (count) => clock.advance(count * 1000),
    run,
    thermostat: (target_temperature = 37) => run('thermostat', { target_temperature }),
    texts,
    temperatures: () =>
      texts(`${JOB}/temperature`).map((text) => JSON.parse(text) as { temperature: number; timestamp: string }),
    events: () => texts(`${JOB}/latest_event`).map((text) => JSON.parse(text) as AutomationEvent),
    logged: (level) => texts(`logs/app/${level}`).map((text) => (JSON.parse(text) as LogMessage).message),
    state: () => lab.published(`${JOB}/$state`).at(-1),
    async end() {
      const stopped = lab.service.stop()
      await clock.advance(5000)
      await stopped
      lab.close()
    },
  }
}

/** Heating in the middle of the fourth period, the board warm. */
export async function startHeating(options?: Parameters<typeof startTemperatureLab>[0]): Promise<TemperatureLab> {
  const t = await startTemperatureLab(options)
  await t.thermostat()
  await t.seconds(FIRST_AFTER_S + 3 * PERIOD_S + INFERENCE_S + 30)
  expect(t.bioreactor.heaterPercent).toBeGreaterThan(5)
  return t
}
