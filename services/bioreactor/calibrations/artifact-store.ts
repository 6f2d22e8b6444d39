import type { SavedArtifact } from '../../../events/bioreactor/artifacts.js'
import type { Calibration } from '../../../events/bioreactor/calibrations.js'
import type { Estimator } from '../../../events/bioreactor/estimators.js'

/** What a device uses. */
export interface ActiveArtifacts<A> {
  /** Null when none is in use. @throws LabError `calibration.unreadable`, `estimator.unreadable` when the one in use cannot be used. */
  active(device: string): Promise<A | null>
}

/** One stored file. */
export interface StoredArtifact<A> {
  /** Of its file; the one that counts. */
  readonly name: string
  /** Null when it cannot be read, or is of a type that only others know. */
  readonly artifact: A | null
  /** Why it cannot be read. */
  readonly problem: string | null
}

export interface SaveOptions {
  /** Whether the device uses it from now on. */
  readonly activate?: boolean
}

/** Calibrations or estimators in files. Every change is an event, and is recorded when a promise resolves.
 *
 * ```ts
 * const { name } = await calibrations.save('media_pump', calibration, { activate: true })
 * const curve = (await calibrations.read('media_pump', name)).curve_data_
 * ``` */
export interface ArtifactStore<A> extends ActiveArtifacts<A> {
  /** Those of a device, by name; none for a device that nobody has heard of. */
  list(device: string): Promise<readonly StoredArtifact<A>[]>
  /** @throws LabError `….unknown` when there is none, `….unreadable` */
  read(device: string, name: string): Promise<A>
  /** The name in use, whether there is such a file or not; null when none is. */
  activeName(device: string): Promise<string | null>
  /** Stores it under its own name, in place of one that had the name.
   * @throws LabError `….invalid`, `artifact.invalid_name`, `artifact.not_written` */
  save(device: string, artifact: A, options?: SaveOptions): Promise<SavedArtifact>
  /** A device that used it has none in use then. @throws LabError `….unknown`, `artifact.not_written` */
  delete(device: string, name: string): Promise<void>
  /** The file must be there; what is in it is found out at use. @throws LabError `….unknown`, `artifact.not_written` */
  activate(device: string, name: string): Promise<void>
  /** @throws LabError `artifact.not_written` */
  deactivate(device: string): Promise<void>
}

export type Calibrations = ActiveArtifacts<Calibration>
export type Estimators = ActiveArtifacts<Estimator>
export type CalibrationStore = ArtifactStore<Calibration>
export type EstimatorStore = ArtifactStore<Estimator>
