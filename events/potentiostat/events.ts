import type { EventDefinition } from '../core/define-event.js'
import { deviceEvent } from './devices.js'
import { modeCapabilityEvent } from './modes.js'
import { pastRunsEvent } from './past-runs.js'
import { runOrderEvent } from './run-order.js'
import { runProgressEvent, slotStateEvent } from './run-state.js'
import { sampleLossEvent, samplesEvent } from './samples.js'

/** Events of a box of potentiostats. */
export const potentiostatEvents: readonly EventDefinition[] = [
  modeCapabilityEvent,
  deviceEvent,
  runOrderEvent,
  samplesEvent,
  sampleLossEvent,
  slotStateEvent,
  runProgressEvent,
  pastRunsEvent,
]
