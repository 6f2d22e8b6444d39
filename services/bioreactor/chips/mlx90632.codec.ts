/** MLX90632, an infrared thermometer that sees a surface without touching it: 16-bit register addresses and values, big-endian (Melexis 3901090632).
 * Arithmetic of the medical mode as the add-on for Pioreactor 26.7 has it. */

/** Unless the configuration says otherwise. */
export const MLX90632_ADDRESS = 0x3a

export const PRODUCT_CODE = 0x2409
export const CONTROL = 0x3001
export const COMMAND = 0x3005
export const STATUS = 0x3fff

/** What a sensor that is not there, or not programmed, answers for its product code. */
export const isProductCode = (word: number): boolean => word !== 0x0000 && word !== 0xffff

/** Written to `COMMAND`; the sensor is back after 0.15 ms. */
export const RESET = 0x0006

/** The control word with continuous measuring (bits 2:1) of the medical type (bits 8:4 are 0); the other bits stay. */
export const withContinuousMedical = (control: number): number => (control & ~0x01f6) | 0x0006

const NEW_DATA = 0x0001
export const hasNewData = (status: number): boolean => (status & NEW_DATA) !== 0
export const withoutNewData = (status: number): number => status & ~NEW_DATA & 0xffff
/** Which of the two halves of a measurement came last, 1 or 2. */
export const cyclePosition = (status: number): number => (status >> 2) & 0x1f
export const encodeStatus = (position: number, newData: boolean): number => (position << 2) | (newData ? NEW_DATA : 0)

export const encodePointer = (register: number): Uint8Array => Uint8Array.of(register >> 8, register & 0xff)
export const encodeWrite = (register: number, word: number): Uint8Array =>
  Uint8Array.of(register >> 8, register & 0xff, (word >> 8) & 0xff, word & 0xff)
export const decodeWord = (bytes: Uint8Array): number => ((bytes[0] ?? 0) << 8) | (bytes[1] ?? 0)

/** Calibration constants: address of the (low) word, width in bits, and the power of two they are scaled by. */
const CONSTANTS = {
  P_R: [0x240c, 32, -8],
  P_G: [0x240e, 32, -20],
  P_T: [0x2410, 32, -44],
  P_O: [0x2412, 32, -8],
  Ea: [0x2424, 32, -16],
  Eb: [0x2426, 32, -8],
  Fa: [0x2428, 32, -46],
  Fb: [0x242a, 32, -36],
  Ga: [0x242c, 32, -36],
  Gb: [0x242e, 16, -10],
  Ka: [0x242f, 16, -10],
  Ha: [0x2481, 16, -14],
  Hb: [0x2482, 16, -10],
} as const satisfies Record<string, readonly [address: number, bits: 16 | 32, exponent: number]>

type ConstantName = keyof typeof CONSTANTS
export type Mlx90632Constants = Readonly<Record<ConstantName, number>>

const constantNames = Object.keys(CONSTANTS) as ConstantName[]

/** The registers that hold the constants. */
export const constantRegisters: readonly number[] = constantNames.flatMap((name) => {
  const [address, bits] = CONSTANTS[name]
  return bits === 32 ? [address, address + 1] : [address]
})

const signed = (word: number): number => (word << 16) >> 16

/** @param words by register. */
export function decodeConstants(words: ReadonlyMap<number, number>): Mlx90632Constants {
  const word = (register: number): number => words.get(register) ?? 0
  return Object.fromEntries(
    constantNames.map((name) => {
      const [address, bits, exponent] = CONSTANTS[name]
      const raw = bits === 32 ? (word(address + 1) << 16) | word(address) : signed(word(address))
      return [name, raw * 2 ** exponent]
    }),
  ) as Record<ConstantName, number>
}

/** Words by register of raw constants, for a sensor that is made up. */
export function encodeConstants(raw: Readonly<Record<ConstantName, number>>): ReadonlyMap<number, number> {
  return new Map(
    constantNames.flatMap((name) => {
      const [address, bits] = CONSTANTS[name]
      const low: [number, number] = [address, raw[name] & 0xffff]
      return bits === 32 ? [low, [address + 1, (raw[name] >>> 16) & 0xffff] as [number, number]] : [low]
    }),
  )
}

/** Registers RAM_4 to RAM_9, the results of the medical mode. */
export const RESULT_REGISTERS: readonly number[] = [0x4003, 0x4004, 0x4005, 0x4006, 0x4007, 0x4008]
/** Their contents, signed. */
export type MedicalResults = readonly [r4: number, r5: number, r6: number, r7: number, r8: number, r9: number]
export const decodeResults = (words: readonly number[]): MedicalResults => {
  const [r4 = 0, r5 = 0, r6 = 0, r7 = 0, r8 = 0, r9 = 0] = words.map(signed)
  return [r4, r5, r6, r7, r8, r9]
}

const FULL_SCALE = 2 ** 19
const KELVIN = 273.15

/** Ratio of the ambient sensor, as the constants expect it. */
function ambientRatio({ Gb }: Mlx90632Constants, [, , r6, , , r9]: MedicalResults): number {
  const sample = r6 / 12
  return (sample / (r9 + Gb * sample)) * FULL_SCALE
}

/** Temperature of the sensor itself, °C. */
export function ambientC(constants: Mlx90632Constants, results: MedicalResults): number {
  const { P_R, P_G, P_O, P_T } = constants
  const above = ambientRatio(constants, results) - P_R
  return P_O + above / P_G + P_T * above ** 2
}

/** What the temperatures of the last sample were, °C; the sensitivity depends on them. */
export interface MlxHistory {
  readonly objectC: number
  readonly sensorC: number
}
export const noHistory: MlxHistory = { objectC: 25, sensorC: 25 }

/** The signal and the sensor's temperature that the object's temperature is made of; NaN in a signal between two halves.
 * @returns signal S, its reference VRto, their ratio STO, and TADUT in °C. */
export function opticalTerms(constants: Mlx90632Constants, position: number, results: MedicalResults) {
  const [r4, r5, r6, r7, r8, r9] = results
  const signal = position === 2 ? (r4 + r5) / 2 : position === 1 ? (r7 + r8) / 2 : Number.NaN
  const reference = r9 + (constants.Ka * r6) / 12
  return {
    signal,
    reference,
    ratio: (signal / 12 / reference) * FULL_SCALE,
    sensorC: (ambientRatio(constants, results) - constants.Eb) / constants.Ea + 25,
  }
}

function sensitivity({ Fa, Fb, Ga, Ha }: Mlx90632Constants, sensorC: number, history: MlxHistory): number {
  return Fa * Ha * (1 + Ga * (sensorC - history.objectC) + Fb * (sensorC - history.sensorC))
}

/** Temperature of the surface in view, °C, for an emissivity of 1; becomes the history of the next sample. */
export function objectTemperature(
  constants: Mlx90632Constants,
  position: number,
  results: MedicalResults,
  history: MlxHistory,
): MlxHistory {
  const { ratio, sensorC } = opticalTerms(constants, position, results)
  const received = ratio / sensitivity(constants, sensorC, history) + (sensorC + KELVIN) ** 4
  return { objectC: received ** 0.25 - KELVIN - constants.Hb, sensorC }
}

/** What the registers hold when the sensor is at one temperature and sees another for some time, °C, to the resolution of the counts. */
export function encodeResults(constants: Mlx90632Constants, objectC: number, sensorC: number): MedicalResults {
  const { P_R, P_G, P_O, P_T, Gb, Ka, Ea, Eb } = constants
  const reference = 23030
  // The root of P_T·x² + x/P_G + P_O = sensorC that is near zero, x being the ratio above P_R.
  const offset = P_O - sensorC
  const above = (-2 * offset) / (1 / P_G + Math.sqrt(1 / P_G ** 2 - 4 * P_T * offset))
  const share = (P_R + above) / FULL_SCALE
  const r6 = Math.round((12 * share * reference) / (1 - share * Gb))
  const dutC = (ambientRatio(constants, [0, 0, r6, 0, 0, reference]) - Eb) / Ea + 25
  const radiation = (objectC + constants.Hb + KELVIN) ** 4 - (dutC + KELVIN) ** 4
  const ratio = radiation * sensitivity(constants, dutC, { objectC, sensorC: dutC })
  const signal = Math.round((ratio / FULL_SCALE) * 12 * (reference + (Ka * r6) / 12))
  return [signal, signal, r6, signal, signal, reference]
}
