import type { LedChannel } from '../../services/bioreactor/board/board.js'

/** What the board drives through its PWM channels, by its label in section `[PWM]` of the configuration. */
export const loads = ['stirring', 'media', 'alt_media', 'waste', 'heating'] as const
export type Load = (typeof loads)[number]

/** The vial in its holder, as the chips and pins of the board meet it: physics on this side, registers and edges on the other. Every
 * read-out is that of the present moment of the clock, with the noise of the sensor but not of its converter. */
export interface PhysicalVial {
  /** Behind the amplifier of a photodiode, V. @param input Its name in the wiring, `pd1`–`pd4`. */
  photodiodeVolts(input: string): number
  /** Where the probe sits on the heater board, °C. */
  heaterBoardC(): number
  /** The vial's wall, as an infrared thermometer beside it sees it, °C. */
  wallC(): number
  /** The air around the holder, and with it an infrared thermometer's own housing, °C. */
  roomC(): number
  /** @param light Share of the LED's full light, 0–1. */
  setLight(channel: LedChannel, light: number): void
  /** @param percent Effective duty cycle, 0 when disabled. */
  setDuty(load: Load, percent: number): void
  /** Reports the falling edges of the Hall sensor, one per revolution, with their time in s of the clock. */
  watchRotor(onEdge: (timeS: number) => void): () => void
}
