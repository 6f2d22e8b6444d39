import { type ledsEvent, pwmEvent } from '../../../events/bioreactor/outputs.js'
import type { PayloadOf } from '../../../events/core/define-event.js'
import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { JobContext } from '../../jobs/job.js'
import type { Bioreactor, PwmChannel } from './board.js'
import { type OutputLimits, PwmLine } from './pwm-line.js'

const PwmChannelUnknown = defineError('pwm.unknown_channel', 'input', 'There is no such PWM channel.')
const PwmChannelBusy = defineError('pwm.busy', 'state', 'Another job uses the PWM channel.')

/** Publishes what becomes of an output whose job is gone. */
export type TellOutputs = <E extends typeof pwmEvent | typeof ledsEvent>(
  experiment: string,
  event: E,
  payload: PayloadOf<E>,
) => void

type PwmUser = Pick<JobContext, 'emit' | 'atEnd' | 'log' | 'experiment'> & {
  /** Called with the duty cycle in % once the hardware has followed. */
  readonly changed?: (percent: number) => void
}

/** Duty cycles in % that differ by less are the same: the kernel counts whole ns. */
const TOLERANCE = 0.01

/** The PWM outputs of one unit, one user per pin. Every change is published on `pwms/dc` as all non-zero pins. */
export class PwmBoard {
  readonly #bioreactor: Pick<Bioreactor, 'pwm' | 'board'>
  readonly #clock: Clock
  readonly #claimed = new Set<number>()
  readonly #lines = new Map<number, PwmLine>()
  readonly #duty = new Map<number, number>()
  /** Of the last user of each pin. */
  readonly #experiments = new Map<number, string>()
  readonly #tell: TellOutputs
  readonly #serially = createSerialQueue()

  /** @param tell publishes what becomes of outputs whose job is gone */
  constructor(bioreactor: Pick<Bioreactor, 'pwm' | 'board'>, clock: Clock, tell: TellOutputs = () => undefined) {
    this.#bioreactor = bioreactor
    this.#clock = clock
    this.#tell = tell
  }

  /** Claims a channel at duty 0 until the job ends. @param limits after which the output goes off whatever the job does: a pump never runs without.
   * @throws PwmChannelUnknown; PwmChannelBusy when another job holds it; PinInUse when another program does. */
  async claim(channel: string, hz: number, user: PwmUser, limits: OutputLimits | 'unlimited'): Promise<PwmLine> {
    const pin = this.#bioreactor.board.pwmPins[channel as PwmChannel]
    if (pin === undefined) {
      throw new PwmChannelUnknown(`PWM channel is '${channel}'; allowed are 1 to 5.`)
    }
    if (this.#claimed.has(pin)) {
      throw new PwmChannelBusy(`PWM channel ${channel} (pin ${pin}) is in use by another job.`)
    }
    this.#claimed.add(pin)
    this.#experiments.set(pin, user.experiment)
    try {
      const output = await this.#serially(() => this.#bioreactor.pwm.open(pin, hz))
      const line = new PwmLine(output, this.#clock, limits === 'unlimited' ? {} : limits, {
        changed: (duty) => {
          if (duty > 0) this.#duty.set(pin, duty)
          else this.#duty.delete(pin)
          user.emit(pwmEvent, Object.fromEntries(this.#duty))
          user.changed?.(duty)
        },
        cutOff: (reason) => user.log('error', `PWM channel ${channel} (pin ${pin}) was switched off: ${reason}.`),
      })
      this.#lines.set(pin, line)
      user.atEnd(async () => {
        try {
          await line.close()
        } finally {
          this.#lines.delete(pin)
          this.#claimed.delete(pin)
        }
      })
      user.emit(pwmEvent, Object.fromEntries(this.#duty))
      return line
    } catch (error) {
      this.#claimed.delete(pin)
      throw error
    }
  }

  /** Duty cycle in % that the user of a pin wants; 0 without one. */
  wanted(pin: number): number {
    return this.#lines.get(pin)?.duty ?? 0
  }

  isClaimed(pin: number): boolean {
    return this.#claimed.has(pin)
  }

  /** @param driven % */
  isAsWanted(pin: number, driven: number): boolean {
    return Math.abs(driven - this.wanted(pin)) <= TOLERANCE
  }

  /** Compares what the kernel drives with what is wanted, and switches off what differs: a pin that nobody uses, or the output of a user whose wish is not
   * what happens, which then has to claim it anew. @returns what was wrong, null when all is as wanted. */
  async enforce(pin: number): Promise<string | null> {
    const line = this.#lines.get(pin)
    if (line !== undefined) return line.verify(() => this.#driven(pin), TOLERANCE)
    return this.#serially(async () => {
      if (this.#claimed.has(pin)) return null
      const driven = await this.#driven(pin)
      if (driven <= TOLERANCE) return null
      await this.#bioreactor.pwm.off(pin)
      // Its last user may have left without having got it off.
      const experiment = this.#experiments.get(pin)
      if (this.#duty.delete(pin) && experiment !== undefined) {
        this.#tell(experiment, pwmEvent, Object.fromEntries(this.#duty))
      }
      return `it was driven at ${driven} % and nobody uses it`
    })
  }

  /** Switches the output of a user off, who has to claim it anew. @throws LabError when the hardware does not follow. */
  async cutOff(pin: number, reason: string): Promise<void> {
    await this.#lines.get(pin)?.cutOff(reason)
  }

  async #driven(pin: number): Promise<number> {
    const states = await this.#bioreactor.pwm.list()
    return states.find((state) => state.pin === pin)?.dutyCycle ?? 0
  }
}
