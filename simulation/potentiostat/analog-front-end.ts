import {
  ADC_MAX_COUNT,
  BOOT_TIA_GAIN,
  converterLevelV,
  DAC_MAX_COUNT,
  tiaOhm,
} from '../../services/potentiostat/device/registers.js'
import type { Random } from '../random.js'

/** White noise of one ADC result at the pin, V rms. */
const NOISE_V = 150e-6
/** Gain between cell and pins. */
const GAIN = 3

/** How the firmware turns a pin voltage into a value, or back. */
export interface Scale {
  slope: number
  offset: number
}

/** Converters, amplifiers and running averages between the cell and the firmware. Voltages in V. */
export class AnalogFrontEnd {
  /** What the firmware believes; writable through the configuration groups. */
  readonly current: Scale & { samples: number } = { slope: 1, offset: 0, samples: 100 }
  readonly potential: Scale & { samples: number } = { slope: -3, offset: 4.95, samples: 100 }
  readonly drive: Scale = { slope: -1 / 3, offset: 1.65 }
  /** Set values of the three DACs: cell potential, amplifier reference, mid supply. */
  setV = 0
  tiaReferenceV = 0
  midSupplyV = 1.65
  ohm = tiaOhm(BOOT_TIA_GAIN)
  /** Running averages: pin voltage of the current amplifier, potential of the reference electrode. */
  meanCurrentPinV = 1.65
  meanPotentialV = 0
  readonly #random: Random
  #appliedV = 0

  constructor(random: Random) {
    this.#random = random
    this.reset()
  }

  /** DACs as after a reset. */
  reset(): void {
    this.tiaReferenceV = 0
    this.setMidSupply(1.65)
    this.drivePotential(0)
  }

  /** Potential that really appears at the cell. */
  get appliedV(): number {
    return this.#appliedV
  }

  /** Filtered current in A as the firmware computes it. */
  get currentA(): number {
    const currentA = (this.tiaReferenceV - GAIN * (this.midSupplyV - this.meanCurrentPinV)) / this.ohm
    return Number.isFinite(currentA) ? currentA : 0
  }

  /** Pin voltage the firmware wants for the set potential; not clamped. */
  get drivePinV(): number {
    return this.drive.slope * this.setV + this.drive.offset
  }

  drivePotential(setV: number): void {
    this.setV = setV
    this.#appliedV = GAIN * (this.midSupplyV - converterLevelV(this.drivePinV, DAC_MAX_COUNT))
  }

  setMidSupply(volts: number): void {
    this.midSupplyV = volts
    this.drive.offset = volts
    this.potential.offset = GAIN * volts
    this.drivePotential(this.setV)
  }

  /** One result of both measuring ADCs enters the averages. */
  convert(cellCurrentA: number, cellPotentialV: number): void {
    const amplified = this.midSupplyV + (cellCurrentA * this.ohm - this.tiaReferenceV) / GAIN
    const buffered = this.midSupplyV - cellPotentialV / GAIN
    const currentPinV = converterLevelV(amplified + NOISE_V * this.#random.gaussian(), ADC_MAX_COUNT)
    const potentialPinV = converterLevelV(buffered + NOISE_V * this.#random.gaussian(), ADC_MAX_COUNT)
    this.meanCurrentPinV = averaged(this.meanCurrentPinV, currentPinV, this.current)
    this.meanPotentialV = averaged(this.meanPotentialV, potentialPinV, this.potential)
  }
}

const averaged = (mean: number, pinV: number, { slope, offset, samples }: Scale & { samples: number }): number =>
  (mean * (samples - 1) + slope * pinV + offset) / samples
