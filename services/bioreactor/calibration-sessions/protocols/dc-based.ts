import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import { timestampOf } from '../../../../events/core/timestamp.js'
import { stirringDuties } from '../../control/calibration-runs.js'
import { fitSpline } from '../../control/curve-fit/spline.js'
import { defineProtocol } from '../protocol.js'
import { configuredNumber, page } from './steps.js'

/** Speed of the stir bar against duty cycle. Source: Pioreactor 26.7 `dc_based`. */

const SECTION = 'stirring.config'
const STOCK_DUTY = 30
const STOCK_HZ = 200

const Duty = Type.Union([Type.Number(), Type.Null()])
/** Ends of the range, %; null for those that follow from the configuration. */
const Data = Type.Object({ min_dc: Duty, max_dc: Duty })
type Data = Static<typeof Data>

export const dcBased = defineProtocol({
  name: 'dc_based',
  title: 'DC-based stirring calibration',
  description: 'Finds how fast the stir bar turns at which duty cycle.',
  requirements: ['A vial with a stir bar', 'As much liquid in it as in the experiment'],
  devices: () => ['stirring'],
  data: Data,
  first: 'intro',
  begin(_, __, executor) {
    executor.demandIdle(['stirring'])
    return { min_dc: null, max_dc: null }
  },
  steps: {
    intro: page<Data>(
      {
        title: 'Stirring calibration',
        body: 'Put a vial with the stir bar and the usual volume of liquid into the holder. The bar will turn at five speeds, three times; it takes about a minute.',
      },
      'run_calibration',
    ),
    run_calibration: {
      show: () => ({
        type: 'action',
        title: 'Measure',
        body: 'The bar is going to turn. Go on when the vial is in its place.',
      }),
      async next(at, _, executor) {
        const { min_dc, max_dc } = at.data
        if ((min_dc === null) !== (max_dc === null)) {
          throw new SessionRefused('Of min_dc and max_dc one is given; both are needed, or neither.')
        }
        const initial = configuredNumber(at, SECTION, 'initial_duty_cycle', STOCK_DUTY)
        const duties =
          min_dc === null || max_dc === null ? stirringDuties(initial) : stirringDuties(initial, [min_dc, max_dc])
        const rpms = await executor.stirringRun(duties)
        const turning = duties.flatMap((duty, index) =>
          (rpms[index] ?? 0) > 0 ? [{ duty, rpm: rpms[index] ?? 0 }] : [],
        )
        if (turning.length === 0) {
          throw new SessionRefused('The bar did not turn at any duty cycle, so nothing is calibrated.', {
            remediation: 'Look for the stir bar, the fan and the Hall sensor.',
          })
        }
        const x = turning.map(({ duty }) => duty)
        const y = turning.map(({ rpm }) => rpm)
        const time = timestampOf(at.now)
        const calibration_name = `stirring-calibration-${time.slice(0, 10)}_${time.slice(11, 13)}-${time.slice(14, 16)}`
        const { path } = await executor.saveCalibration(at.device, {
          calibration_type: 'simple_stirring',
          calibration_name,
          curve_data_: fitSpline({ x, y }),
          x: 'DC %',
          y: 'RPM',
          recorded_data: { x, y },
          pwm_hz: configuredNumber(at, SECTION, 'pwm_hz', STOCK_HZ),
          voltage: await executor.railVolts(),
        })
        return {
          complete: { title: 'Stirring calibrated', calibrations: [{ device: at.device, calibration_name, path }] },
        }
      },
    },
  },
})
