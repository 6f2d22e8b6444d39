import { type Static, Type } from '@sinclair/typebox'
import { RecordedWarnings } from '../run-warnings.js'

/** A result computed from the rows of a mode. `cdl`: capacitive current per scan rate, and the capacitance in F fitted through the
 * origin; `r_squared` is null with fewer than two distinct scan rates. */
export const ModeEvaluation = Type.Object({
  kind: Type.Literal('cdl'),
  points: Type.Array(
    Type.Object({ scan_rate_V_per_s: Type.Number(), Icap_A: Type.Number(), n_cycles: Type.Integer() }),
  ),
  capacitance_f: Type.Number(),
  r_squared: Type.Union([Type.Number(), Type.Null()]),
})
export type ModeEvaluation = Static<typeof ModeEvaluation>

/** How the range of a mode was chosen where the order leaves it to us: by a probe of the cell, or from the currents that are asked for. */
export const RangeChoice = Type.Object({
  tia_gain: Type.Integer({ minimum: 0, maximum: 3 }),
  /** The largest |current| that the mode was expected to need, A; null when the probe cannot tell. */
  expected_a: Type.Union([Type.Number(), Type.Null()]),
  probe: Type.Union([
    Type.Null(),
    Type.Object({
      /** Of the cell at rest, and what was applied then, V. */
      rest_v: Type.Number(),
      potential_v: Type.Number(),
      duration_s: Type.Number(),
      /** Passed through the cell. */
      charge_c: Type.Number(),
      /** At the end of the probe, A. */
      current_a: Type.Number(),
    }),
  ]),
})
export type RangeChoice = Static<typeof RangeChoice>

/** What the driver observed of one finished mode; stands in the slot state and the run's sidecar file. */
export const ModeReport = Type.Object({
  mode_index: Type.Integer({ minimum: 0 }),
  rows: Type.Integer({ minimum: 0 }),
  samples: Type.Integer({ minimum: 0 }),
  lost_samples: Type.Integer({ minimum: 0 }),
  underruns: Type.Integer({ minimum: 0 }),
  saturated_samples: Type.Integer({ minimum: 0 }),
  retries: Type.Integer({ minimum: 0 }),
  sample_period_s: Type.Union([Type.Number(), Type.Null()]),
  tia_ohm: Type.Union([Type.Number(), Type.Null()]),
  range: Type.Optional(RangeChoice),
  /** CE switch read back as open after the measurement. */
  cell_off_verified: Type.Boolean(),
  /** Fewest points the DAC queue held while the waveform was not yet written whole. */
  min_queued_points: Type.Optional(Type.Integer()),
  /** Set when the device was polled because it queues no samples under current control: how many readings stand behind the rows. */
  polled_readings: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The limit that ended the mode before its time, as the order wanted: it is complete with fewer rows. */
  ended_by: Type.Optional(Type.String()),
  /** The mode measures to compute a result, and there is none. */
  no_result: Type.Optional(Type.Boolean()),
  warnings: Type.Optional(RecordedWarnings),
  evaluation: Type.Optional(ModeEvaluation),
})
export type ModeReport = Static<typeof ModeReport>
