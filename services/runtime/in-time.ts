import { defineError } from '../../events/core/errors.js'
import { deadline } from '../../primitives/deadline.js'

class NotInTime extends defineError('hardware.not_in_time', 'hardware', 'A step of the safe state took too long.') {
  constructor(limitMs: number) {
    super(`Not done within ${limitMs} ms.`)
  }
}

/** The work, unless it takes longer than the limit. Real time: what hangs does not run faster in a simulation. @throws NotInTime */
export const inTime = <T>(limitMs: number, work: Promise<T>): Promise<T> =>
  deadline(limitMs, work, () => {
    throw new NotInTime(limitMs)
  })
