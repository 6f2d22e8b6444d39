import { LabError } from '../../events/core/errors.js'

/** The device does not reach the state it was asked for. */
export class DeviceStuck extends LabError {
  constructor(message: string) {
    super('potentiostat.stuck', 'hardware', message, { remediation: 'Unplug the device and plug it in again.' })
  }
}

/** Nothing confirms that the cell is disconnected. */
export class CellNotOpened extends LabError {
  constructor(message: string, cause: unknown) {
    super('potentiostat.cell_not_opened', 'hardware', message, {
      cause,
      remediation: 'Disconnect the cell by hand, then unplug the device and plug it in again.',
    })
  }
}

/** The feedback resistor that was read back is not the one that was asked for. */
export class GainNotSet extends LabError {
  constructor(gain: number, expectedOhm: number, readOhm: number) {
    super(
      'potentiostat.gain_not_set',
      'hardware',
      `Gain ${gain} should read back ${expectedOhm} Ω; it reads ${readOhm} Ω.`,
    )
  }
}

/** Samples were taken but never reached us. `details.lost_samples` says how many, at least. */
export class SamplesLost extends LabError {
  readonly lost: number
  constructor(lost: number, cause: string) {
    super('potentiostat.samples_lost', 'hardware', `${lost} sample(s) were lost: ${cause}.`, {
      details: { lost_samples: lost },
    })
    this.lost = lost
  }
}

/** The device stopped playing or recording in the middle of a measurement. */
export class MeasurementInterrupted extends LabError {
  constructor(message: string) {
    super('potentiostat.interrupted', 'hardware', message)
  }
}

/** The measurement was asked to end. The message is the reason given. */
export class MeasurementAborted extends LabError {
  constructor(reason: string) {
    super('potentiostat.aborted', 'state', reason)
  }
}

/** Current control would begin with a potential that an earlier measurement left behind. */
export class ControlNotUnwound extends LabError {
  constructor(outputV: number, restV: number) {
    super(
      'potentiostat.control_not_unwound',
      'hardware',
      `Current control would start from ${outputV.toFixed(3)} V, left by an earlier measurement, while the cell rests at ${restV.toFixed(3)} V; the cell was not connected.`,
      { remediation: 'Unplug the device and plug it in again.' },
    )
  }
}

/** A limit of the order is passed before anything was measured. */
export class LimitPassedAtRest extends LabError {
  constructor(reached: string) {
    super(
      'potentiostat.limit_passed',
      'state',
      `Nothing was measured: at rest, before the cell was connected, ${reached}.`,
    )
  }
}

/** The mode measures to compute a result, and no sample could be used for it. The message says why. */
export class NothingEvaluated extends LabError {
  constructor() {
    super('potentiostat.nothing_evaluated', 'state', 'There is no result: none of the samples could be evaluated.')
  }
}
