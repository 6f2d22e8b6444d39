import type { CommandDefinition } from '../../events/core/define-command.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import type { PartAftermath } from '../aftermath/aftermath.js'
import type { RetainedText } from '../aftermath/retained.js'
import type { Answer } from './answer.js'
import type { SafeStateReport } from './safe-state.js'

/** What every service is given. */
export interface ServiceContext {
  readonly unit: string
  readonly box: string
  readonly clock: Clock
  readonly logger: Logger
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

/** What a part is given besides. */
export interface PartContext extends ServiceContext {
  /** Has all parts make their outputs safe and wait, as when the broker is away. Resolves when they have, with what ends it. */
  hold(reason: string): Promise<() => void>
}

/** What works in the services process. `start…(context)` returns it running. */
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

/** What the services process is made of: one for each instrument, and the uploads. */
export interface ServicePart {
  /** Lower case, digits and single underscores. */
  readonly name: string
  /** What its service carries out while it works. */
  readonly commands: readonly CommandDefinition[]
  /** @param past what is retained of earlier lives, corrected. */
  start(context: PartContext, past: readonly RetainedText[]): Promise<Service>
  /** Makes its outputs safe when it failed. */
  makeSafe?(): Promise<SafeStateReport>
  /** What of the retained values is false when it ended in order. */
  readonly transient?: PartAftermath
  /** What of the retained values is false when it has died. */
  readonly aftermath?: PartAftermath
}
