import { roundHalfEven } from '../../../primitives/round.js'

/** Share of the PWM rail that reaches the `aux` ADC input. */
const DIVIDER = 0.134

/** PWM rail in V from the voltage at the `aux` input, rounded to a multiple of `precision` (V). */
export const railVolts = (auxVolts: number, precision = 0.1): number =>
  roundHalfEven(auxVolts / DIVIDER / precision) * precision

/** At or below it, V, pumps and heater are weak and the computer may restart. */
const LOW_RAIL_V = 4.8

/** Whether the supply sags: the rail is low and the kernel does not say that its own supply is well (null: it cannot say). A multiple
 * of 0.05 V is seldom exact: 96 of them are a little more than 4.8.
 * Source: Pioreactor 26.7 `monitor`. */
export const isRailLow = (rail: number, underVoltage: boolean | null): boolean =>
  rail <= LOW_RAIL_V + 1e-6 && underVoltage !== false

/** Above it, V, stirrer and pumps are in danger. */
export const MAX_MOTOR_RAIL_V = 18

/** Voltage at the `aux` input for a rail voltage. */
export const auxVolts = (rail: number): number => rail * DIVIDER
