import { deadline } from '../../../primitives/deadline.js'
import { realTime, type Timer } from '../../../primitives/timer.js'
import { mustPowerOff } from '../control/temperature/heater-safety.js'
import type { Bioreactor } from './board.js'
import type { LedBoard } from './led-board.js'
import type { PwmBoard } from './pwm-board.js'

/** How often it looks, ms of the machine; what it bounds are seconds. */
const INTERVAL_MS = 500
/** What takes longer has failed. */
const LIMIT_MS = 400
/** A disturbed bus answers the next time; a probe that is gone does not. */
const PROBE_TRIES = 3
/** Outputs that cannot be read or do not follow at so many looks are an alarm. */
const DEAF_LOOKS = 10
/** A board that nobody heats and that gets warmer by so much is heated all the same, °C. */
const UNATTENDED_RISE_C = 2
/** An overheated board is reported so often, ms of the machine. */
const REPEAT_MS = 60_000

export interface WatchdogReport {
  /** `cut_off`: an output was switched off. `overheated`: the heater board is so hot that the unit is shut down.
   * `blind`: outputs cannot be read, or do not follow. `deaf`: they have not followed for seconds, and somebody must look after them. */
  readonly kind: 'cut_off' | 'overheated' | 'blind' | 'deaf'
  readonly message: string
}

export interface WatchdogDeps {
  readonly bioreactor: Pick<Bioreactor, 'pwm' | 'board' | 'model' | 'readHeaterBoardC' | 'powerOff'>
  readonly pwm: PwmBoard
  readonly leds: LedBoard
  /** Must not throw. */
  report(report: WatchdogReport): void
  readonly timer?: Timer
}

/** Looks twice a second, whatever the jobs do, at what the kernel drives and how warm the heater is. Switches off what no job wants, LEDs that did not follow what they were told, the heater above the
 * temperature at which the vessel's model forbids heating, and the heater whose probe does not answer; shuts the computer down when the heater board is too
 * hot for it. Needs neither broker nor log. */
export function startOutputWatchdog(deps: WatchdogDeps): { stop(): Promise<void> } {
  const { timer = realTime } = deps
  const stopping = new AbortController()
  const compare = createComparison(deps)
  const darken = createDarkening(deps)
  const guard = createHeaterGuard(deps)
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      const due = timer.monotonicMs() + INTERVAL_MS
      await Promise.all([compare(), darken(), guard()])
      await timer.sleepUntil(due, stopping.signal)
    }
  })()
  return {
    async stop() {
      stopping.abort()
      await watching
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

class Late extends Error {
  override readonly message = `it takes longer than ${LIMIT_MS} ms`
}
const inTime = <T>(work: Promise<T>): Promise<T> =>
  deadline(LIMIT_MS, work, () => {
    throw new Late()
  })

/** Tells that outputs do not follow: once when it begins, and as an alarm when it lasts. */
function createDeafness(report: WatchdogDeps['report']): (problem: string | null) => void {
  let looks = 0
  return (problem) => {
    looks = problem === null ? 0 : looks + 1
    if (looks === 1) report({ kind: 'blind', message: `The outputs are not as wanted: ${problem}` })
    if (looks === DEAF_LOOKS) report({ kind: 'deaf', message: `Outputs do not follow and may be on: ${problem}` })
  }
}

/** What is driven, against what is wanted. */
function createComparison({ bioreactor, pwm, report }: WatchdogDeps): () => Promise<void> {
  const pins = Object.entries(bioreactor.board.pwmPins)
  const tell = createDeafness(report)
  const compare = async (): Promise<void> => {
    const states = await inTime(bioreactor.pwm.list())
    const enforce = async ([channel, pin]: readonly [string, number]): Promise<void> => {
      const driven = states.find((state) => state.pin === pin)?.dutyCycle ?? 0
      // What differs may have changed since; it is read again where no write comes between.
      const reason = pwm.isAsWanted(pin, driven) ? null : await inTime(pwm.enforce(pin))
      if (reason !== null) report({ kind: 'cut_off', message: `PWM channel ${channel} was switched off: ${reason}.` })
    }
    const failed = (await Promise.allSettled(pins.map(enforce))).find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }
  return () =>
    compare().then(
      () => tell(null),
      (error: unknown) => tell(messageOf(error)),
    )
}

/** LEDs cannot be read. Those that did not follow what they were told are put out. */
function createDarkening({ leds, report }: WatchdogDeps): () => Promise<void> {
  const tell = createDeafness(report)
  let enforcing: ReturnType<LedBoard['enforce']> | null = null
  const darken = async (): Promise<string | null> => {
    // One that hangs is waited for, not asked again.
    enforcing ??= leds.enforce().finally(() => {
      enforcing = null
    })
    const { darkened, deaf } = await inTime(enforcing)
    for (const channel of darkened) {
      report({ kind: 'cut_off', message: `LED ${channel} was switched off: it had not followed what it was told.` })
    }
    return deaf.length === 0 ? null : deaf.join('; ')
  }
  return () => darken().then(tell, (error: unknown) => tell(messageOf(error)))
}

/** The heater, against the temperature of its board. */
function createHeaterGuard({ bioreactor, pwm, report, timer = realTime }: WatchdogDeps): () => Promise<void> {
  const { board, model } = bioreactor
  const pin = board.pwmPins[board.heaterPwmChannel]
  let failures = 0
  let readsTooHot = 0
  let coldestUnattendedC = Number.POSITIVE_INFINITY
  let reportAgainMs = 0

  /** A board that somebody heated may still be hot when its job has ended. */
  const isAttended = (celsius: number): boolean => {
    coldestUnattendedC = pwm.isClaimed(pin) ? Number.POSITIVE_INFINITY : Math.min(coldestUnattendedC, celsius)
    return celsius <= coldestUnattendedC + UNATTENDED_RISE_C
  }

  const cutOff = async (reason: string): Promise<void> => {
    report({ kind: 'cut_off', message: `The heater was switched off: ${reason}.` })
    await inTime(pwm.cutOff(pin, reason)).catch((error: unknown) =>
      report({ kind: 'blind', message: `The heater does not follow: ${messageOf(error)}` }),
    )
  }
  return async () => {
    const heats = pwm.wanted(pin) > 0
    let celsius: number
    try {
      celsius = await inTime(bioreactor.readHeaterBoardC())
      failures = 0
    } catch (error) {
      failures++
      if (heats && failures >= PROBE_TRIES) await cutOff(`its probe does not answer (${messageOf(error)})`)
      return
    }
    const shown = `${celsius.toFixed(1)} °C`
    if (heats && celsius > model.max_temp_to_disable_heating) {
      await cutOff(
        `its board has ${shown}; ${model.display_name} is not heated above ${model.max_temp_to_disable_heating} °C`,
      )
    }
    // A disturbed read is no reason to shut a computer down.
    readsTooHot = mustPowerOff(celsius, isAttended(celsius), model) ? readsTooHot + 1 : 0
    if (readsTooHot < PROBE_TRIES || timer.monotonicMs() < reportAgainMs) return
    reportAgainMs = timer.monotonicMs() + REPEAT_MS
    bioreactor.powerOff().catch((error: unknown) => report({ kind: 'blind', message: messageOf(error) }))
    const limit =
      celsius >= model.max_temp_to_shutdown ? `the limit is ${model.max_temp_to_shutdown} °C` : 'no job heats it'
    report({ kind: 'overheated', message: `The heater board has ${shown}, and ${limit}: the unit is shut down.` })
  }
}
