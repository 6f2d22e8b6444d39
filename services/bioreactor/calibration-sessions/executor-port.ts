import type { Curve } from '../control/curve.js'

/** Both are stored by device and name, and one of each device is in use. */
export type ArtifactKind = 'calibrations' | 'estimators'

/** A calibration as a protocol makes it; the unit and the time are added when it is stored. Own fields go by its type. */
export interface NewCalibration {
  readonly calibration_type: string
  readonly calibration_name: string
  readonly curve_data_: Curve
  readonly x: string
  readonly y: string
  readonly recorded_data: { readonly x: readonly number[]; readonly y: readonly number[] }
  readonly [own: string]: unknown
}

/** An estimator, whatever its type. */
export interface AnyEstimator {
  readonly estimator_type: string
  readonly estimator_name: string
  readonly [own: string]: unknown
}

/** Where something has been stored. */
export interface StoredLink {
  readonly device: string
  readonly path: string
}

/** One run of a pump. */
export interface PumpRun {
  /** Such as `media_pump`. */
  readonly device: string
  readonly seconds: number
  readonly hz: number
  /** % */
  readonly dc: number
}

/** The temperature of the culture while it is held. The thermostat lets the heater rest every few minutes, so means count. */
export interface HeldTemperature {
  /** By the estimator in use, mean of the last cycle, °C. */
  readonly estimatedC: number
  /** From the cycle before to the last one, °C/min; null before there are two. */
  readonly driftCPerMin: number | null
  /** As the thermostat has it, °C; null before its first measurement. */
  readonly thermostatC: number | null
}

/** What a guided calibration orders of its unit. Work on hardware runs as a job does: with its bounds and locks, and off at every end.
 * Every order rejects with a LabError when it cannot be carried out; whatever it had switched on is off then. */
export interface Executor {
  /** @throws SessionRefused naming the one that runs */
  demandIdle(jobs: readonly string[]): void
  /** Runs a pump into a measuring glass. */
  pump(run: PumpRun): Promise<void>
  /** Supply of pumps and stirrer, V. */
  railVolts(): Promise<number>
  /** Speeds in RPM at so many duty cycles in %, in their order; 0 where the bar stood. */
  stirringRun(duties: readonly number[]): Promise<readonly number[]>
  /** Mean raw reading by photodiode of what is in the holder. */
  standard(rpm: number): Promise<Readonly<Record<string, number>>>
  /** So many raw readings by angle, one after the other at different speeds. */
  fusionObservation(rpm: number, repeats: number): Promise<readonly Readonly<Record<string, number>>[]>
  /** Holds a temperature in °C from now on, until the session ends; again when it no longer does. */
  holdTemperature(targetC: number): Promise<void>
  /** What is seen while a temperature is held. */
  heldTemperature(): Promise<HeldTemperature>
  /** Names of what is stored for a device. */
  names(kind: ArtifactKind, device: string): Promise<readonly string[]>
  estimator(device: string, name: string): Promise<AnyEstimator>
  /** The one in use; null without. */
  activeEstimator(device: string): Promise<AnyEstimator | null>
  /** Stores it and puts it in use. */
  saveCalibration(device: string, calibration: NewCalibration): Promise<StoredLink>
  /** Stores it and puts it in use. */
  saveEstimator(device: string, estimator: AnyEstimator): Promise<StoredLink>
}
