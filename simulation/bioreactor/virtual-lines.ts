import type { Clock } from '../../events/ports.js'
import type { ProfileTables } from '../../services/bioreactor/board/hardware-tables.js'
import type { PhysicalVial } from './physical-vial.js'

type LevelListener = (high: boolean, timeS: number) => void

/** The contact of the button opens once more before it rests. */
const BOUNCE_S = 0.002
/** The header has lines 0–27. */
const LINES = 28

/** The GPIO lines of a board: Hall sensor and button as inputs, the LED of the unit as output. */
export class VirtualLines {
  readonly #clock: Clock
  readonly #wiring: ProfileTables['gpio']
  readonly #vial: PhysicalVial
  readonly #listeners = new Map<number, Set<LevelListener>>()
  readonly #driven = new Map<number, boolean>()
  readonly #onDriven: () => void

  /** @param onDriven called when the software has driven a line */
  constructor(clock: Clock, wiring: ProfileTables['gpio'], vial: PhysicalVial, onDriven: () => void) {
    this.#clock = clock
    this.#wiring = wiring
    this.#vial = vial
    this.#onDriven = onDriven
  }

  /** Reports the levels that a line takes on, with their time in s of the clock. */
  watch(pin: number, listener: LevelListener): () => void {
    const listeners = this.#listeners.get(pin) ?? new Set()
    this.#listeners.set(pin, listeners)
    listeners.add(listener)
    const endRotor =
      pin === this.#wiring.hall_sensor_pin ? this.#vial.watchRotor((timeS) => listener(false, timeS)) : undefined
    return () => {
      listeners.delete(listener)
      endRotor?.()
    }
  }

  drive(pin: number, high: boolean): void {
    this.#driven.set(pin, high)
    this.#onDriven()
  }

  /** Who uses a line; null when the header has no such. */
  consumerOf(pin: number): string | null {
    if (!Number.isInteger(pin) || pin < 0 || pin >= LINES) return null
    return (this.#listeners.get(pin)?.size ?? 0) > 0 ? 'benchlog' : ''
  }

  /** Somebody presses or releases the button of the unit. */
  setButton(pressed: boolean): void {
    const timeS = this.#clock.monotonicMs() / 1000
    for (const [bounce, high] of [pressed, !pressed, pressed].entries()) {
      for (const listener of this.#listeners.get(this.#wiring.pcb_button_pin) ?? []) {
        listener(high, timeS + bounce * BOUNCE_S)
      }
    }
  }

  get statusLed(): boolean {
    return this.#driven.get(this.#wiring.pcb_led_pin) ?? false
  }
}
