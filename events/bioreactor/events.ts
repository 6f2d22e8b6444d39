import type { EventDefinition } from '../core/define-event.js'
import { activeCalibrationEvent, activeEstimatorEvent, calibrationEvent, estimatorEvent } from './artifacts.js'
import { automationSettingsEvent } from './automations.js'
import { blankMeanEvent, blankMeansEvent } from './blanks.js'
import { calibrationProtocolsEvent, calibrationSessionEvent } from './calibration-sessions.js'
import { assignmentEvent, experimentEvent } from './experiments.js'
import { kalmanFilterEvent } from './growth.js'
import { bioreactorVariableEvent, dosingEvent, liquidEvent, overflowEvent } from './liquids.js'
import { logEvent } from './logs.js'
import { dosingStateOrder, identifyOrder } from './orders.js'
import { errorCodeEvent, ledChangeEvent, ledsEvent, pidLogEvent, pwmEvent } from './outputs.js'
import { modelsEvent, vesselEvent } from './vessel.js'

/** Events of a bioreactor beside the settings of its jobs. */
export const bioreactorEvents: readonly EventDefinition[] = [
  logEvent,
  automationSettingsEvent,
  pwmEvent,
  ledsEvent,
  ledChangeEvent,
  pidLogEvent,
  errorCodeEvent,
  dosingEvent,
  bioreactorVariableEvent,
  liquidEvent,
  overflowEvent,
  vesselEvent,
  assignmentEvent,
  experimentEvent,
  modelsEvent,
  kalmanFilterEvent,
  blankMeansEvent,
  blankMeanEvent,
  dosingStateOrder,
  identifyOrder,
  calibrationEvent,
  activeCalibrationEvent,
  estimatorEvent,
  activeEstimatorEvent,
  calibrationSessionEvent,
  calibrationProtocolsEvent,
]
