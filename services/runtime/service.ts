import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import type { Hardware } from '../transport/hardware.js'
import type { Answer } from './answer.js'

/** What every service is given. */
export interface ServiceContext {
  readonly unit: string
  readonly box: string
  readonly clock: Clock
  readonly logger: Logger
  readonly hardware: Hardware
  /** A label for run metadata; no service decides anything by it. */
  readonly hardwareKind: 'simulated' | 'real'
  /** Directory of config.ini, calibrations and storage. */
  readonly dotPioreactor: string
  /** The connection the services of this process share. */
  readonly bus: MessageBus
  /** Opens another connection, for a job that needs a last will of its own. */
  connectBus(options: {
    readonly name: string
    readonly will?: { readonly topic: string; readonly payload: string }
  }): Promise<MessageBus>
}

/** A part of the services process. `start…Service(context)` returns it running. */
export interface Service {
  readonly name: string
  /** The commands it carries out. */
  readonly commands: readonly Answer[]
  /** The log cannot be written or the broker is gone: outputs safe at once, then wait. Must not need the broker. */
  suspend(reason: string): Promise<void>
  /** The broker is back and the log can be written. */
  resume(): Promise<void>
  /** Outputs safe, everything ended and published. */
  stop(): Promise<void>
}
