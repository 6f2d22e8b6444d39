import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { OdCalibration } from '../../events/bioreactor/calibrations.js'
import { ESTIMATOR_TYPES, type OdEstimator } from '../../events/bioreactor/estimators.js'
import { check } from '../../events/schema.js'
import type { Bioreactor } from '../../services/bioreactor/board/board.js'
import { openBioreactor } from '../../services/bioreactor/board/open-bioreactor.js'
import { fitFusion } from '../../services/bioreactor/control/od/fit-fusion.js'
import { litVolts } from '../../simulation/bioreactor/optics.js'
import { createInProcessHardware } from '../../simulation/in-process-hardware.js'
import { createRandom } from '../../simulation/random.js'
import { type BenchOptions, VirtualBench } from '../../simulation/virtual-bench.js'
import { type LabOptions, startBioreactorLab } from './bioreactor-lab.js'
import { FakeClock } from './fake-clock.js'

/** The bioreactor's jobs with their real drivers on a virtual vial, on virtual time. Everything in it follows from the seed. */
export async function startVialLab(
  options: Partial<BenchOptions> = {},
  more: Omit<LabOptions<Bioreactor>, 'bioreactor' | 'clock' | 'random'> = {},
  world = createWorld(options),
) {
  const { clock, bench, seed } = world
  const dotPioreactor = mkdtempSync(join(tmpdir(), 'benchlog-vial-'))
  const bioreactor = await openBioreactor(createInProcessHardware(bench), { dotPioreactor }, clock)
  const chance = createRandom(seed + 100)
  const lab = await startBioreactorLab<Bioreactor>({ ...more, bioreactor, clock, random: () => chance.next() })
  const end = async (): Promise<void> => {
    const stopped = lab.service.stop()
    await clock.advance(10_000)
    await stopped
    await lab.book.stop()
    lab.close()
    rmSync(dotPioreactor, { recursive: true, force: true })
  }
  return { ...lab, bench, world, end }
}

/** What outlives the services: the vial and the time. */
export function createWorld({ seed = 7, ...options }: Partial<BenchOptions> = {}) {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed, ...options })
  clock.onPassing(() => bench.reportEdges())
  return { clock, seed, bench }
}

export type VialLab = Awaited<ReturnType<typeof startVialLab>>

const STANDARDS = [0, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2, 3]

/** A calibration as it is made from this vial with standards: volts at the intensity in use, relative to a reference that counts as 1. */
export function calibrationOfVial(ir_led_intensity = 80): OdCalibration {
  const y = STANDARDS.map((od) => litVolts('90', od, ir_led_intensity / 100, 0))
  const coefficients = STANDARDS.slice(0, -1).map((od, index) => {
    const length = (STANDARDS[index + 1] ?? od) - od
    return [y[index] ?? 0, ((y[index + 1] ?? 0) - (y[index] ?? 0)) / length, 0, 0]
  })
  return {
    calibration_type: 'od600',
    calibration_name: 'vial',
    calibrated_on_pioreactor_unit: 'u1',
    created_at: '2026-01-02T03:04:05Z',
    curve_data_: { type: 'akima', knots: STANDARDS, coefficients },
    x: 'OD600',
    y: 'Voltage',
    recorded_data: { x: STANDARDS, y },
    ir_led_intensity,
    angle: '90',
    pd_channel: '2',
  }
}

const CONCENTRATIONS = [0.02, 0.05, 0.1, 0.2, 0.4, 0.7, 1, 1.5, 2, 3]

/** An estimator as it is fitted to standards in this vial, seen at three angles. */
export function estimatorOfVial(ir_led_intensity = 80): OdEstimator {
  const records = (['45', '90', '135'] as const).flatMap((angle) =>
    CONCENTRATIONS.flatMap((concentration) =>
      [0.99, 1, 1.01].map((share) => ({
        angle,
        concentration,
        reading: share * litVolts(angle, concentration, ir_led_intensity / 100, 0),
      })),
    ),
  )
  const fitted = fitFusion(records)
  return check(ESTIMATOR_TYPES.od_fused_estimator, {
    ...fitted,
    estimator_type: 'od_fused_estimator',
    estimator_name: 'vial',
    calibrated_on_pioreactor_unit: 'u1',
    created_at: '2026-01-02T03:04:05Z',
    recorded_data: {},
    y: 'log(Voltage)',
    ir_led_intensity,
  })
}
