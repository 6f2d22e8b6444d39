import type { Settings, ValuesOf } from '../events/core/setting.js'
import type { Clock, Logger } from '../events/ports.js'
import type { PluggableDevice } from './bench-control.js'
import type { AddPort } from './bench-ports.js'

/** What a twin is given. */
export interface TwinContext {
  /** Gives the path of the Unix socket to serve a serial port on. */
  readonly addPort: AddPort
  readonly clock: Clock
  readonly logger: Logger
  /** Of the noise. */
  readonly seed: number
  /** To be called with what an output does whenever that changes, and once at the start, such as `('cell_switches', '2064B', true)`: it shows what
   * is on when the software is dead. */
  onOutput(kind: string, name: string, value: number | boolean): void
}

/** Virtual devices on the bench. */
export interface RunningTwin {
  /** Those that can be pulled out of the bench. */
  readonly devices?: readonly PluggableDevice[]
  stop(): Promise<void>
}

/** What stands for an instrument on the simulated bench. It speaks the bytes of the real one, behind the transport. */
export interface Twin<S extends Settings = Settings> {
  /** Settings of the simulation. */
  readonly settings: S
  start(context: TwinContext, settings: ValuesOf<S>): Promise<RunningTwin>
}

/** Declares a twin. The code of its devices is loaded by `start`, for the unit's other processes know the declaration too. */
export const defineTwin = <S extends Settings>(twin: Twin<S>): Twin => Object.freeze(twin)
