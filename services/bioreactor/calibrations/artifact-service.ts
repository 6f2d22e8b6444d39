import { type ArtifactKind, CALIBRATION, ESTIMATOR } from '../../../events/bioreactor/artifacts.js'
import type { Calibration } from '../../../events/bioreactor/calibrations.js'
import type { Estimator } from '../../../events/bioreactor/estimators.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { type Answer, answer } from '../../runtime/answer.js'
import { ArtifactFileStore, type ArtifactFileStoreDeps } from './artifact-file-store.js'
import type { CalibrationStore, EstimatorStore } from './artifact-store.js'
import { convertLegacyFiles } from './convert-legacy-files.js'
import { recoverPointers } from './recover-pointers.js'

export interface OpenStores {
  readonly calibrations: CalibrationStore
  readonly estimators: EstimatorStore
  readonly answers: readonly Answer[]
  /** Says what has changed in the files; nobody waits for it. */
  notice(): void
}

/** Opens both stores, says what has changed in their files, and offers the commands about them. */
export async function openStores(deps: ArtifactFileStoreDeps, past: readonly RetainedText[]): Promise<OpenStores> {
  recoverPointers(deps, past)
  const calibrations = new ArtifactFileStore(CALIBRATION, deps, convertLegacyFiles)
  const estimators = new ArtifactFileStore(ESTIMATOR, deps)
  await calibrations.start(past)
  await estimators.start(past)
  return {
    calibrations,
    estimators,
    answers: [...answersOf(CALIBRATION, calibrations), ...answersOf(ESTIMATOR, estimators)],
    notice() {
      void calibrations.notice()
      void estimators.notice()
    },
  }
}

function answersOf<A extends Calibration | Estimator>(
  { commands }: ArtifactKind<A>,
  store: ArtifactFileStore<A>,
): readonly Answer[] {
  return [
    answer(commands.save, ({ device, data, set_as_active: activate }) => store.saveData(device, data, { activate })),
    answer(commands.remove, ({ device, name }) => store.delete(device, name).then(() => true as const)),
    answer(commands.activate, ({ device, name }) => store.activate(device, name).then(() => true as const)),
    answer(commands.deactivate, ({ device }) => store.deactivate(device).then(() => true as const)),
  ]
}
