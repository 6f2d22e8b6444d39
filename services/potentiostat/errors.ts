import { defineError } from '../../events/core/errors.js'

/** The device does not reach the state it was asked for. */
export class DeviceStuck extends defineError(
  'potentiostat.stuck',
  'hardware',
  'A potentiostat stays in a run it should have left.',
) {
  constructor(message: string) {
    super(message, { remediation: 'Unplug the device and plug it in again.' })
  }
}

/** Nothing confirms that the cell is disconnected. */
export class CellNotOpened extends defineError(
  'potentiostat.cell_not_opened',
  'hardware',
  'The cell switch could not be read back as open.',
) {
  constructor(message: string, cause: unknown) {
    super(message, {
      cause,
      remediation: 'Disconnect the cell by hand, then unplug the device and plug it in again.',
    })
  }
}

/** The feedback resistor that was read back is not the one that was asked for. */
export class GainNotSet extends defineError(
  'potentiostat.gain_not_set',
  'hardware',
  'The gain read back is not the one that was set.',
) {
  constructor(gain: number, expectedOhm: number, readOhm: number) {
    super(`Gain ${gain} should read back ${expectedOhm} Ω; it reads ${readOhm} Ω.`)
  }
}

/** Samples were taken but never reached us. `details.lost_samples` says how many, at least. */
export class SamplesLost extends defineError(
  'potentiostat.samples_lost',
  'hardware',
  'Samples were lost; what arrived is kept.',
) {
  readonly lost: number
  constructor(lost: number, cause: string) {
    super(`${lost} sample(s) were lost: ${cause}.`, {
      details: { lost_samples: lost },
    })
    this.lost = lost
  }
}

/** The device stopped playing or recording in the middle of a measurement. */
export class MeasurementInterrupted extends defineError(
  'potentiostat.interrupted',
  'hardware',
  'A measurement was interrupted by its device.',
) {
  constructor(message: string) {
    super(message)
  }
}

/** The measurement was asked to end. The message is the reason given. */
export class MeasurementAborted extends defineError('potentiostat.aborted', 'state', 'A measurement was stopped.') {
  constructor(reason: string) {
    super(reason)
  }
}

/** Current control would begin with a potential that an earlier measurement left behind. */
export class ControlNotUnwound extends defineError(
  'potentiostat.control_not_unwound',
  'hardware',
  'Current control would begin with a potential that an earlier measurement left; the cell was not connected.',
) {
  constructor(outputV: number, restV: number) {
    super(
      `Current control would start from ${outputV.toFixed(3)} V, left by an earlier measurement, while the cell rests at ${restV.toFixed(3)} V; the cell was not connected.`,
      { remediation: 'Unplug the device and plug it in again.' },
    )
  }
}

/** A limit of the order is passed before anything was measured. */
export class LimitPassedAtRest extends defineError(
  'potentiostat.limit_passed',
  'state',
  'The cell at rest is beyond a limit of the order; it was not connected.',
) {
  constructor(reached: string) {
    super(`Nothing was measured: at rest, before the cell was connected, ${reached}.`)
  }
}

/** The mode measures to compute a result, and no sample could be used for it. The message says why. */
export class NothingEvaluated extends defineError(
  'potentiostat.nothing_evaluated',
  'state',
  'A mode has no result: none of its samples could be evaluated.',
) {
  constructor() {
    super('There is no result: none of the samples could be evaluated.')
  }
}
