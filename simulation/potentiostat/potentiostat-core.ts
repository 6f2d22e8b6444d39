import {
  ADC_FIFO_PAIRS,
  BOOT_TIA_GAIN,
  DAC_FIFO_POINTS,
  NOMINAL_PERIOD_S,
  StateBit,
  TICK_S,
  tiaOhm,
} from '../../services/potentiostat/device/registers.js'
import { createRandom } from '../random.js'
import { AnalogFrontEnd } from './analog-front-end.js'
import type { Cell, CellFactory } from './cell.js'
import { cells } from './cell-models.js'
import { FloatRing } from './float-ring.js'
import { Galvanostat, pidDefaults } from './galvanostat.js'

export interface PotentiostatCoreOptions {
  /** Of the noise. */
  readonly seed: number
  /** Default: a Randles cell. */
  readonly cell?: CellFactory
  /** Firmware 1.0.0 pushes no pairs while it controls the current; pyBEEP's galvanostatic modes need a firmware that does. */
  readonly pidPushesPairs?: boolean
  /** Time between control steps in s. */
  readonly periodS?: number
}

/** Both measuring ADCs deliver twice per control step. */
const CONVERSIONS_PER_STEP = 2

/** The measuring part of the firmware: queues, control step and run state, with a cell attached. */
export class PotentiostatCore {
  readonly periodS: number
  readonly analog: AnalogFrontEnd
  readonly galvanostat = new Galvanostat()
  readonly adcFifo = new FloatRing(ADC_FIFO_PAIRS, 2)
  readonly dacFifo = new FloatRing(DAC_FIFO_POINTS, 1)
  /** `StateBit`s. */
  state = 0
  /** Pairs queued after the last push; points left after the last pop, −1 when the queue was empty. Both stale while stopped. */
  adcElements = 0
  dacElements = 0
  /** Moving average of the control period in ticks. */
  sampleTicks = 0
  /** Points that were due while the queue was empty, and pairs overwritten unread. */
  underruns = 0
  overflows = 0
  /** Constants of the controller by index, live from register group 0x32. */
  pidConstants: (index: number) => number = (index) => pidDefaults[index] ?? 0
  readonly #cell: Cell
  readonly #pidPushesPairs: boolean
  #steps = 0
  #lastControlS = 0

  constructor({
    seed,
    cell = cells.randles,
    pidPushesPairs = false,
    periodS = NOMINAL_PERIOD_S,
  }: PotentiostatCoreOptions) {
    const random = createRandom(seed)
    this.periodS = periodS
    this.analog = new AnalogFrontEnd(random)
    this.#cell = cell(periodS, random)
    this.#pidPushesPairs = pidPushesPairs
  }

  /** Seconds this device has lived, resets included. */
  get timeS(): number {
    return this.#steps * this.periodS
  }

  has(bit: number): boolean {
    return (this.state & bit) !== 0
  }

  /** What a reset does: everything but the cell starts anew. */
  reset(): void {
    this.state = 0
    this.adcFifo.clear()
    this.dacFifo.clear()
    this.adcElements = 0
    this.dacElements = 0
    this.sampleTicks = 0
    Object.assign(this.galvanostat, new Galvanostat())
    this.analog.reset()
    this.setGain(BOOT_TIA_GAIN)
    this.#lastControlS = this.timeS
  }

  setGain(index: number): void {
    this.analog.ohm = tiaOhm(index)
  }

  setSwitch(closed: boolean): void {
    this.state = closed ? this.state | StateBit.cellSwitch : this.state & ~StateBit.cellSwitch
  }

  startFifo(closed: boolean): void {
    this.adcFifo.clear()
    this.state |= StateBit.run | StateBit.fifo
    this.setSwitch(closed)
  }

  startPid(targetA: number): void {
    this.galvanostat.targetA = targetA
    this.state |= StateBit.run | StateBit.fifo | StateBit.pid
  }

  /** Remembered until a run can end: at once by the next control step with PID, else when the queue is empty. */
  requestStop(): void {
    this.state |= StateBit.stop
  }

  /** One control period: the cell moves on, both ADCs deliver, and a run takes its step unless the core is `stalled`. */
  step(stalled = false): void {
    this.#steps++
    const connected = this.has(StateBit.cellSwitch)
    this.#cell.step(this.analog.appliedV, connected)
    if (stalled) return
    for (let i = 0; i < CONVERSIONS_PER_STEP; i++) this.analog.convert(this.#cell.currentA, this.#cell.potentialV)
    if (!this.has(StateBit.run)) return
    this.#measurePeriod()
    if (this.has(StateBit.pid)) this.#controlCurrent()
    else this.#playPoint()
  }

  #measurePeriod(): void {
    const ticks = Math.round((this.timeS - this.#lastControlS) / TICK_S)
    this.#lastControlS = this.timeS
    this.sampleTicks = Math.floor((63 * this.sampleTicks + ticks) / 64)
  }

  #controlCurrent(): void {
    const nowMs = Math.floor(this.timeS * 1000)
    const potentialV = this.galvanostat.evaluate(this.analog.currentA, nowMs, this.pidConstants)
    if (potentialV !== null) this.analog.drivePotential(potentialV)
    if (this.#pidPushesPairs) this.#pushPair()
    if (this.has(StateBit.stop)) this.#stop()
  }

  #playPoint(): void {
    this.#pushPair()
    if (this.dacFifo.length > 0) {
      this.analog.drivePotential(this.dacFifo.shift())
      this.dacElements = this.dacFifo.length
      return
    }
    this.dacElements = -1
    this.underruns++
    if (this.has(StateBit.stop)) this.#stop()
  }

  #pushPair(): void {
    if (this.adcFifo.room === 0) this.overflows++
    this.adcFifo.push(this.analog.currentA, this.analog.meanPotentialV)
    this.adcElements = this.adcFifo.length
  }

  /** The DAC keeps its value. */
  #stop(): void {
    this.state &= ~(StateBit.run | StateBit.stop | StateBit.fifo | StateBit.pid | StateBit.cellSwitch)
  }
}
