import { type TSchema, Type } from '@sinclair/typebox'
import { JobCapability } from './core/capability.js'
import {
  AutomationSettings,
  CommandOutcome,
  DeviceRecord,
  JobRecord,
  LOG_STATUS_TOPIC,
  LogMessage,
  LogStatus,
  Refusal,
  RunOrder,
  RunProgress,
  SafeStateRecord,
  SampleBlock,
  SampleLoss,
  ServiceRecord,
  SlotState,
  TaskRecord,
} from './payloads.js'

/** One kind of event that is not a job's published setting. */
export interface EventDeclaration {
  /** Topic with its variable levels in angle brackets. */
  readonly topic: string
  readonly retained: boolean
  readonly payload: TSchema
  readonly doc: string
}

/** Every event the unit publishes beside the settings of its jobs. The topic reference is written from it. */
export const eventCatalogue: readonly EventDeclaration[] = [
  {
    topic: 'system/<unit>/jobs/<job_id>',
    retained: true,
    payload: JobRecord,
    doc: 'A job, republished whole at every change.',
  },
  {
    topic: 'system/<unit>/tasks/<task_id>',
    retained: true,
    payload: TaskRecord,
    doc: 'Status and result of asynchronous work.',
  },
  {
    topic: 'system/<unit>/commands/<id>',
    retained: false,
    payload: CommandOutcome,
    doc: 'Outcome of the request with that id.',
  },
  {
    topic: 'pioreactor/<unit>/<experiment>/<job>/<setting>/set/outcome',
    retained: false,
    payload: CommandOutcome,
    doc: 'Outcome of a `/set`.',
  },
  {
    topic: 'pioreactor/<unit>/<experiment>/logs/<source>/<level>',
    retained: false,
    payload: LogMessage,
    doc: 'Log message of a job.',
  },
  {
    topic: 'pioreactor/<unit>/<experiment>/<kind>_automation/<kind>_automation_settings',
    retained: false,
    payload: AutomationSettings,
    doc: 'Settings of an automation that were in force for a time, in base64; told when one changes and at the end.',
  },
  {
    topic: 'pioreactor/<unit>/<experiment>/pwms/dc',
    retained: true,
    payload: Type.Record(Type.String(), Type.Number()),
    doc: 'Duty cycle in % by BCM pin; pins that are off are left out.',
  },
  {
    topic: 'pioreactor/<unit>/<experiment>/leds/intensity',
    retained: true,
    payload: Type.Record(Type.String(), Type.Number()),
    doc: 'Intensity in % of the LED channels A–D.',
  },
  {
    topic: 'system/<unit>/service',
    retained: true,
    payload: ServiceRecord,
    doc: 'Whether the services are there; `lost` is their last will.',
  },
  {
    topic: 'system/<unit>/safe_state',
    retained: true,
    payload: SafeStateRecord,
    doc: 'How the outputs were switched off last: at the start of the services, or after their death. `failed` names what may still be on.',
  },
  {
    topic: 'system/<unit>/capabilities/jobs/<job_name>',
    retained: true,
    payload: JobCapability,
    doc: 'Options and settings of a job on offer; of an automation one level deeper.',
  },
  {
    topic: 'system/<unit>/capabilities/modes/<mode>',
    retained: true,
    payload: Type.Object({ mode: Type.String(), parameters: Type.Object({}) }),
    doc: 'Parameters and rules of a measurement mode on offer.',
  },
  { topic: 'system/<unit>/refusals', retained: false, payload: Refusal, doc: 'A publish that access rights refused.' },
  {
    topic: 'potentiostat/<box>/$devices/<slot>',
    retained: true,
    payload: DeviceRecord,
    doc: 'A slot and the device bound to it.',
  },
  {
    topic: 'potentiostat/<box>/<run_id>/order',
    retained: true,
    payload: RunOrder,
    doc: 'An accepted measurement order.',
  },
  {
    topic: 'potentiostat/<box>/<run_id>/<slot>/samples',
    retained: true,
    payload: SampleBlock,
    doc: 'About 100 ms of consecutive samples; A, V and s.',
  },
  {
    topic: 'potentiostat/<box>/<run_id>/<slot>/state',
    retained: true,
    payload: SlotState,
    doc: 'Where a slot stands in its run.',
  },
  {
    topic: 'potentiostat/<box>/<run_id>/progress',
    retained: true,
    payload: RunProgress,
    doc: 'Progress and remaining time of a run.',
  },
  {
    topic: 'potentiostat/<box>/<run_id>/losses',
    retained: false,
    payload: SampleLoss,
    doc: 'Samples that never reached us.',
  },
  {
    topic: LOG_STATUS_TOPIC,
    retained: true,
    payload: LogStatus,
    doc: 'State of the event log; never recorded itself.',
  },
]
