import { roundHalfEven } from '../../../primitives/round.js'

/** Share of the PWM rail that reaches the `aux` ADC input. */
const DIVIDER = 0.134

/** PWM rail in V from the voltage at the `aux` input, rounded to a multiple of `precision` (V). */
export const railVolts = (auxVolts: number, precision = 0.1): number =>
  roundHalfEven(auxVolts / DIVIDER / precision) * precision

/** Voltage at the `aux` input for a rail voltage. */
export const auxVolts = (rail: number): number => rail * DIVIDER
