import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import { toErrorRecord } from '../../../events/core/errors.js'
import type { JobContext, LogLevel } from '../../jobs/job.js'
import type { BioreactorModel } from '../board/hardware-tables.js'
import { judgeProbe } from '../control/temperature/heater-safety.js'
import type { ClaimedHeater } from './heater.js'
import type { Probe } from './probe.js'

/** A board above the first limit has its duty cycle reduced so often, s. Source: Pioreactor 26.7, which looks at the probe so often. */
const REDUCE_EVERY_S = 53
/** What goes on being wrong is told again after so many s. */
const TELL_AGAIN_S = 600
/** The unit blinks so many times. Source: Pioreactor 26.7. */
const TOO_HOT_CODE = 6

export interface HeaterGuardDeps {
  readonly job: JobContext
  readonly model: BioreactorModel
  readonly heater: ClaimedHeater
  readonly probe: Probe
  /** Shuts the computer down. */
  readonly powerOff: () => Promise<void>
}

type Trouble = 'hot' | 'lost'

/** Lets the heater on only as long as its probe answers and its board is cool enough. Whatever is told is told after the heater was set, and nobody
 * waits for it. */
export class HeaterGuard {
  readonly #deps: HeaterGuardDeps
  #reduceAgainMs = 0
  #trouble: { readonly kind: Trouble; readonly tellAgainMs: number } | null = null

  constructor(deps: HeaterGuardDeps) {
    this.#deps = deps
  }

  /** Looks at the probe: the heater may stay on, or goes off. */
  async look(): Promise<void> {
    const { heater, probe, model } = this.#deps
    try {
      const probeC = await probe.glance(model.max_temp_to_reduce_heating)
      if ((await this.heed(probeC, heater.duty)) > 0) heater.keep()
    } catch (error) {
      await this.lose(error)
    }
  }

  /** Acts on a reading of the probe. @param dutyPercent in force, or to be restored @returns what may stay of it
   * @throws LabError when the heater does not follow */
  async heed(probeC: number, dutyPercent: number): Promise<number> {
    const { job, model, heater } = this.#deps
    const { action, dutyPercent: left } = judgeProbe(probeC, dutyPercent, model)
    const shown = `The heater board has ${probeC.toFixed(1)} ℃`
    switch (action) {
      case 'none':
        this.#recover(shown)
        return dutyPercent
      case 'reduce': {
        const now = job.clock.monotonicMs()
        if (left === null || now < this.#reduceAgainMs) return dutyPercent
        this.#reduceAgainMs = now + REDUCE_EVERY_S * 1000
        if (heater.duty > 0) await heater.set(left, () => heater.duty > 0)
        job.log('debug', `${shown}, above ${model.max_temp_to_reduce_heating} ℃: its duty cycle is reduced by a tenth.`)
        return left
      }
      case 'disable':
        await heater.off()
        this.#tell('hot', 'warning', `${shown}, above ${model.max_temp_to_disable_heating} ℃: it is switched off.`)
        return 0
      case 'shutdown':
        await this.#shutDown(
          `${shown}, above ${model.max_temp_to_shutdown} ℃: it is switched off and the unit shut down`,
        )
        return 0
    }
  }

  /** The heater goes off: nobody can say how warm it is. */
  async lose(cause: unknown): Promise<void> {
    const { heater } = this.#deps
    const { message } = toErrorRecord(cause)
    const isOff = await heater.off().then(
      () => true,
      () => false,
    )
    this.#tell('lost', 'error', `${isOff ? 'The heater is off' : 'The heater does not go off'}: ${message}`)
  }

  async #shutDown(reason: string): Promise<void> {
    const { job, heater, powerOff } = this.#deps
    const failed = (error: unknown): void =>
      job.logger.error({ err: error }, 'not done while the heater board is too hot')
    await heater.off().catch(failed)
    powerOff().catch(failed)
    job.emit(errorCodeEvent, TOO_HOT_CODE)
    job.end(reason)
  }

  #recover(shown: string): void {
    if (this.#trouble === null) return
    this.#trouble = null
    this.#deps.job.log('notice', `${shown}: it may be heated again from the next temperature of the culture on.`)
  }

  #tell(kind: Trouble, level: LogLevel, message: string): void {
    const { job } = this.#deps
    const now = job.clock.monotonicMs()
    if (this.#trouble?.kind === kind && now < this.#trouble.tellAgainMs) return
    this.#trouble = { kind, tellAgainMs: now + TELL_AGAIN_S * 1000 }
    if (kind === 'hot') job.emit(errorCodeEvent, TOO_HOT_CODE)
    job.log(level, message)
    job.publish('latest_event', { event_name: 'ErrorOccurred', message, data: null })
  }
}
