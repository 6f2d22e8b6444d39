import type { Admission } from '../doors/admission.js'
import type { Catalogue } from '../events/catalogue.js'
import type { Clock, EventLogReader, Logger, MessageBus } from '../events/ports.js'
import type { LogStatus } from '../events/system/log-status.js'
import type { ReadModels } from '../projections/read-models.js'
import type { Endpoint } from './framework/endpoint.js'
import type { IdempotencyCache } from './framework/idempotency-cache.js'
import type { MemoryBudget } from './framework/memory-budget.js'
import type { RateLimit } from './framework/rate-limit.js'
import type { PendingTasks } from './pending-tasks.js'
import type { ServicePresence } from './service-presence.js'

/** What the gateway is given by the composition root. */
export interface GatewayDeps extends Admission {
  readonly unit: string
  readonly box: string
  /** As reported by the box API; empty when not configured. */
  readonly boxId: string
  /** What `/version` calls the build; empty means the time of the start. */
  readonly build: string
  /** Shape of `GET /devices`. */
  readonly devicesShape: 'list' | 'object'
  /** Expected in `X-API-Key`; empty means no check. */
  readonly boxApiKey: string
  /** Expected by HTTP Basic with any user; empty means no check. */
  readonly unitApiPassword: string
  /** Absolute directory of the run files. */
  readonly runsRoot: string
  /** Private directory through which secrets reach the services. */
  readonly spoolDirectory: string
  /** The data directory of the unit: configuration, calibrations, plugins. */
  readonly dotPioreactor: string
  /** What is never shown, even where it lies in the data directory. Absolute. */
  readonly privatePaths: readonly string[]
  /** The unit's own configuration file. */
  readonly unitConfigPath: string
  /** What configuration events leave out. */
  readonly configSecretsPath: string
  readonly clock: Clock
  readonly logger: Logger
  readonly bus: MessageBus
  readonly readModels: ReadModels
  readonly log: Pick<EventLogReader, 'lastPosition'>
  /** State of the event log as last published on `$SYS/benchlog/log`; null before it is known. */
  readonly logStatus: () => LogStatus | null
  /** What keeps the read models from following the log; absent where they are made in another process. */
  readonly readSide?: { degradations(): readonly string[] }
  /** What the bridge to another broker lacks; absent without one. */
  readonly bridge?: { degradations(): readonly string[] }
  /** Persistent MQTT sessions; absent where the broker runs in another process, undefined before it runs. */
  readonly sessionCounts?: () =>
    | { readonly stored: number; readonly connected: number; readonly most: number }
    | undefined
  /** Position the log had when the unit started: what is folded less far is of yesterday. Null until the log is open. */
  readonly floor: () => number | null
  /** Whether the run-file sink has caught up with the log since the start. */
  readonly areFilesWritten: () => boolean
  /** Whether parts of the unit are still to come for the first time. */
  readonly isStarting: () => boolean
  readonly hardwareKind: 'simulated' | 'real'
  /** What the unit publishes and takes, beside the settings of jobs. */
  readonly catalogue: Catalogue
  readonly startedAt: Date
}

/** What a handler is given: the dependencies and the little the gateway itself remembers between requests. */
export interface GatewayContext extends GatewayDeps {
  readonly table: readonly Endpoint[]
  readonly memory: MemoryBudget
  readonly services: ServicePresence
  readonly pendingTasks: PendingTasks
  /** One accepted start per job name and second. */
  readonly jobStarts: RateLimit
  /** Orders of the last half minute, for clients that repeat a request they got no answer to. */
  readonly idempotencyCache: IdempotencyCache
}
