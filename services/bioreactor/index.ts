import { randomInt } from 'node:crypto'
import type { Job } from '../job.js'
import type { Bioreactor } from './bench-hardware.js'
import { type Calibrations, createCalibrationFiles } from './calibrations.js'
import { PwmBoard } from './pwm-board.js'
import { createStirringJob } from './stirring.js'

export interface BioreactorDeps {
  readonly bioreactor: Bioreactor
  readonly dotPioreactor: string
  readonly calibrations?: Calibrations
  /** Uniform in [0, 1). */
  readonly random?: () => number
}

/** The jobs this unit offers. */
export function createBioreactorJobs({
  bioreactor,
  dotPioreactor,
  calibrations = createCalibrationFiles(dotPioreactor),
  random = () => randomInt(2 ** 32) / 2 ** 32,
}: BioreactorDeps): readonly Job[] {
  const pwm = new PwmBoard(bioreactor)
  void random
  return [createStirringJob({ bioreactor, pwm, calibrations })]
}
