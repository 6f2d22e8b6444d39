import { roundHalfEven } from '../../../primitives/round.js'
/** 8-bit level of an LED intensity of 0–100 %; both LED drivers give the same number. */
export const ledLevel = (percent: number): number => roundHalfEven((percent / 100) * 255)
