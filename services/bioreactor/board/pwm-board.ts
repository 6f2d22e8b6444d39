import { pwmEvent } from '../../../events/bioreactor/outputs.js'
import { defineError } from '../../../events/core/errors.js'
import { clamp, roundHalfEven } from '../../../primitives/round.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { JobContext } from '../../jobs/job.js'
import type { PwmOutput } from '../../transport/hardware.js'
import type { Bioreactor, PwmChannel } from './board.js'

const PwmChannelUnknown = defineError('pwm.unknown_channel', 'input', 'There is no such PWM channel.')
const PwmChannelBusy = defineError('pwm.busy', 'state', 'Another job uses the PWM channel.')

type PwmUser = Pick<JobContext, 'emit' | 'atEnd'>

/** The PWM outputs of one unit, one user per pin. Every change is published on `pwms/dc` as all non-zero pins. */
export class PwmBoard {
  readonly #bioreactor: Pick<Bioreactor, 'pwm' | 'board'>
  readonly #claimed = new Set<number>()
  readonly #duty = new Map<number, number>()

  constructor(bioreactor: Pick<Bioreactor, 'pwm' | 'board'>) {
    this.#bioreactor = bioreactor
  }

  /** Claims a channel at duty 0 until the job ends. @throws PwmChannelBusy when another job holds it. */
  async claim(channel: string, hz: number, user: PwmUser): Promise<PwmLine> {
    const pin = this.#bioreactor.board.pwmPins[channel as PwmChannel]
    if (pin === undefined) {
      throw new PwmChannelUnknown(`PWM channel is '${channel}'; allowed are 1 to 5.`)
    }
    if (this.#claimed.has(pin)) {
      throw new PwmChannelBusy(`PWM channel ${channel} (pin ${pin}) is in use by another job.`)
    }
    this.#claimed.add(pin)
    try {
      const line = new PwmLine(await this.#bioreactor.pwm.open(pin, hz), (duty) => {
        if (duty > 0) this.#duty.set(pin, duty)
        else this.#duty.delete(pin)
        user.emit(pwmEvent, Object.fromEntries(this.#duty))
      })
      user.atEnd(async () => {
        try {
          await line.close()
        } finally {
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
}

/** A claimed output. Writes reach the hardware in the order they were asked for; after `close` only 0 is possible. */
export class PwmLine {
  readonly #output: PwmOutput
  readonly #changed: (duty: number) => void
  #duty = 0
  #closed = false
  readonly #serially = createSerialQueue()

  constructor(output: PwmOutput, changed: (duty: number) => void) {
    this.#output = output
    this.#changed = changed
  }

  /** Duty cycle last written, %. */
  get duty(): number {
    return this.#duty
  }

  /** @param percent limited to 0–100, rounded to 5 decimals. @param stillWanted asked right before the hardware is touched. */
  set(percent: number, stillWanted: () => boolean = () => true): Promise<void> {
    const duty = clamp(0, roundHalfEven(percent, 5), 100)
    return this.#serially(async () => {
      if (duty > 0 && (this.#closed || !stillWanted())) return
      await this.#output.setDutyCycle(duty)
      this.#duty = duty
      this.#changed(duty)
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#serially(() => this.#output.close())
    if (this.#duty > 0) {
      this.#duty = 0
      this.#changed(0)
    }
  }
}
