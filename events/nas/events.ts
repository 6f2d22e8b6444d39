import type { EventDefinition } from '../core/define-event.js'
import { nasEvent, runRetiredEvent, uploadEvent } from './nas.js'

/** Events of the copies on the network share. */
export const nasEvents: readonly EventDefinition[] = [nasEvent, uploadEvent, runRetiredEvent]
