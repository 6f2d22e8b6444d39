import { PUMP_CALIBRATION } from '../../../events/bioreactor/liquids.js'
import { defineError } from '../../../events/core/errors.js'
import type { JobContext } from '../../jobs/job.js'
import type { PwmBoard } from '../board/pwm-board.js'
import type { PwmLine } from '../board/pwm-line.js'
import { checkPumpSeconds, pumpedMl } from '../control/dosing/pump-curve.js'
import type { LiquidBook } from './liquid-book.js'
import { type PumpSpec, WASTE } from './pump-spec.js'

const PumpCutOff = defineError(
  'pump.cut_off',
  'hardware',
  'A pump was switched off before it had moved what it was to move.',
)

/** From one dosing event to the next while a pump runs, s. Source: Pioreactor 26.7. */
const TOLD_EVERY_S = 0.5
/** A pump that its job does not switch off in time is switched off by the board so much later. */
const SLACK_MS = 500

export interface PumpDeps {
  readonly pwm: PwmBoard
  readonly book: LiquidBook
}

type PumpJob = Pick<JobContext, 'experiment' | 'clock' | 'emit' | 'log' | 'atEnd'>

/** What one run of a pump has done. */
export interface Pumped {
  /** Through the pump, mL. */
  readonly pumpMl: number
  /** Liquid, mL; less than through the pump when it drew air. */
  readonly movedMl: number
}

const NOTHING: Pumped = { pumpMl: 0, movedMl: 0 }

/** A pump that belongs to this job until it is released. */
export interface ClaimedPump {
  /** Runs for so long, or until `stop` is aborted, or, of a pump that adds, until the vial is full. What moved is told while it runs and is known
   * when it stands. @throws PumpCutOff when the board switched it off; LabError when the output does not follow. */
  run(seconds: number, source: string, stop: AbortSignal): Promise<Pumped>
  /** Off, and free for others. */
  release(): Promise<void>
}

/** The pumps that a job uses. None has two users; all of them stand when the job ends, and what they moved has been entered by then. */
export class Pumps {
  readonly #deps: PumpDeps
  readonly #job: PumpJob
  /** Those that run or are claimed: switches one off and waits until it stands. */
  readonly #halts = new Set<() => Promise<void>>()

  constructor(deps: PumpDeps, job: PumpJob) {
    this.#deps = deps
    this.#job = job
    job.atEnd(() => this.halt())
  }

  /** @param seconds it will run in sum at most. @throws PwmChannelBusy; PumpTimeOutOfRange; LabError of the hardware */
  async claim(spec: PumpSpec, seconds: number): Promise<ClaimedPump> {
    const { pwm } = this.#deps
    const { emit, log, experiment } = this.#job
    const limits = { maxOnMs: checkPumpSeconds(seconds) * 1000 + SLACK_MS }
    const releases: (() => Promise<void> | void)[] = []
    const user = { emit, log, experiment, atEnd: (release: () => Promise<void> | void) => void releases.push(release) }
    const line = await pwm.claim(spec.channel, spec.hz, user, limits)
    const halting = new AbortController()
    let running: Promise<unknown> = Promise.resolve()
    const letGo = async (): Promise<void> => {
      halting.abort()
      await running
      try {
        for (const release of releases) await release()
      } finally {
        this.#halts.delete(halt)
      }
    }
    let halted: Promise<void> | null = null
    // Whoever asks second waits for the same.
    const halt = (): Promise<void> => {
      halted ??= letGo()
      return halted
    }
    this.#halts.add(halt)
    return {
      run: (runSeconds, source, stop) => {
        const pumped = this.#run(spec, line, runSeconds, source, AbortSignal.any([stop, halting.signal]))
        running = pumped.catch(() => undefined)
        return pumped
      },
      release: halt,
    }
  }

  /** One run of a pump that is claimed for it alone. */
  async once(spec: PumpSpec, seconds: number, source: string, stop: AbortSignal): Promise<Pumped> {
    if (seconds === 0 || stop.aborted) return NOTHING
    const pump = await this.claim(spec, seconds)
    try {
      return await pump.run(seconds, source, stop)
    } finally {
      await pump.release()
    }
  }

  /** All of them off at once. */
  async halt(): Promise<void> {
    await Promise.all([...this.#halts].map((halt) => halt()))
  }

  async #run(spec: PumpSpec, line: PwmLine, seconds: number, source: string, stop: AbortSignal): Promise<Pumped> {
    const { book } = this.#deps
    const { clock, experiment } = this.#job
    const { event, curve } = spec
    const plannedMl = pumpedMl(curve, seconds)
    const intoVial = source !== PUMP_CALIBRATION
    const mlPerS = plannedMl / seconds
    const drivenBeforeMs = line.drivenMs
    let pumpMl = 0
    let movedMl = 0
    const tell = (isOn: boolean): void => {
      const untilNow = Math.max(pumpMl, pumpedMl(curve, (line.drivenMs - drivenBeforeMs) / 1000))
      const still = isOn ? { leftMl: Math.max(0, plannedMl - untilNow), mlPerS } : null
      movedMl += book.enter(experiment, { event, source, pumpedMl: untilNow - pumpMl, still })
      pumpMl = untilNow
    }
    if (stop.aborted || seconds <= 0) return NOTHING
    // Announced, and on disk, before it runs: were we to die in the next moment, the account would know of it.
    book.enter(experiment, { event, source, pumpedMl: 0, still: { leftMl: plannedMl, mlPerS } })
    await book.recorded()
    if (stop.aborted) {
      book.enter(experiment, { event, source, pumpedMl: 0, still: null })
      return NOTHING
    }
    try {
      await line.set(spec.dc, () => !stop.aborted)
      // What counts is how long it is driven: asking for it, and noticing that it stands, take time of their own.
      const endMs = clock.monotonicMs() + seconds * 1000
      for (let left = endMs - clock.monotonicMs(); left > 0; left = endMs - clock.monotonicMs()) {
        if (stop.aborted || (intoVial && this.#isFull(spec))) break
        await clock.sleepUntil(clock.monotonicMs() + Math.min(TOLD_EVERY_S * 1000, left), stop)
        if (line.duty === 0) throw new PumpCutOff(`The ${spec.name} pump was switched off before its time was over.`)
        if (!stop.aborted && clock.monotonicMs() < endMs) tell(true)
      }
    } finally {
      try {
        if (line.duty > 0) await line.set(0)
      } finally {
        tell(false)
      }
    }
    return { pumpMl, movedMl }
  }

  #isFull({ name }: PumpSpec): boolean {
    const { book } = this.#deps
    return name !== WASTE && book.liquid(this.#job.experiment).volume_ml >= book.model.reactor_max_fill_volume_ml
  }
}
