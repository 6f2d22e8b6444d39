import { readTemperatureC } from '../../../../services/bioreactor/chips/tmp1075.js'
import type { PwmOutputs } from '../../../../services/transport/hardware.js'
import { parseFault } from '../../../../simulation/bioreactor/faults.js'
import { createInProcessHardware } from '../../../../simulation/in-process-hardware.js'
import { type BenchOptions, VirtualBench } from '../../../../simulation/virtual-bench.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import type { FakeClock } from '../../../support/fake-clock.js'

const HEATER_PIN = '18'

/** A bioreactor whose heater warms the virtual vial, and whose probe is read over its I2C bus. */
export class HeatedBioreactor extends FakeBioreactor {
  readonly bench: VirtualBench
  override readonly pwm: PwmOutputs
  readonly #hardware
  /** What becomes of a read on its way. */
  onTheWay: (celsius: number) => number | Promise<number> = (celsius) => celsius

  constructor(clock: FakeClock, options: Partial<BenchOptions> = {}) {
    super()
    this.bench = new VirtualBench({ clock, seed: 1, ...options })
    this.#hardware = createInProcessHardware(this.bench)
    this.pwm = this.#hardware.pwm
  }

  override async readHeaterBoardC(): Promise<number> {
    return this.onTheWay(await readTemperatureC(this.#hardware.i2c, this.bench.wiring.temp.address))
  }

  override isHeaterBoardPresent(): Promise<boolean> {
    return this.#hardware.i2c.isPresent(this.bench.wiring.temp.address)
  }

  /** What the heater is driven at, %. */
  get heaterPercent(): number {
    return this.bench.outputs.pwm[HEATER_PIN] ?? 0
  }

  /** Of the liquid, whatever the sensors say. */
  get cultureC(): number {
    return this.bench.truth.culture_c
  }

  setFault(...fault: readonly string[]): void {
    this.bench.setFault(parseFault(fault))
  }
}
