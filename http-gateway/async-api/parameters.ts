import { RUN_ID_PATTERN } from '../../events/topic.js'

interface ChannelParameter {
  readonly description: string
  readonly examples?: readonly string[]
  /** Where a message holds the same value. */
  readonly location?: string
}

/** What varies in topics, by name. */
export const PARAMETERS: Readonly<Record<string, ChannelParameter>> = {
  unit: {
    description: 'Name of the unit, `UNIT_NAME`. In an order to a setting `$broadcast` stands for every unit.',
    examples: ['u1'],
  },
  box: { description: 'Name of the box of potentiostats, `BOX_ID` or the unit.', examples: ['u1'] },
  experiment: {
    description: 'Name of the experiment that the job runs in; `$experiment` for what belongs to none.',
    examples: ['growth-7'],
  },
  job: { description: 'Name of a job.', examples: ['stirring'] },
  job_name: { description: 'Name of a job.', examples: ['stirring'] },
  automation_name: { description: 'Name of an automation.', examples: ['turbidostat'] },
  automation_type: { description: 'Kind of automation: `dosing`, `led` or `temperature`.', examples: ['dosing'] },
  variable: { description: 'What of the vial, such as `current_volume_ml`.', examples: ['current_volume_ml'] },
  channel: { description: 'Number of a photodiode.', examples: ['2'] },
  kind: { description: 'Kind of automation: `dosing`, `led` or `temperature`.', examples: ['dosing'] },
  setting: { description: 'Name of a published setting.', examples: ['target_rpm'] },
  job_id: { description: 'Number of the job; it only grows.', examples: ['42'], location: '$message.payload#/job_id' },
  task_id: { description: 'Id of the task.', location: '$message.payload#/task_id' },
  id: { description: 'Id that the command had.', location: '$message.payload#/id' },
  source: { description: 'Where the message comes from.', examples: ['app'], location: '$message.payload#/source' },
  level: { description: 'Severity of the message.', examples: ['info', 'warning', 'error'] },
  target_name: {
    description: 'What is controlled.',
    examples: ['rpm'],
    location: '$message.payload#/target_name',
  },
  device: { description: 'What is calibrated, such as a pump or the photodiode at an angle.', examples: ['od90'] },
  name: { description: 'Name of a calibration or an estimator.', examples: ['media_pump-2026-01-02'] },
  session_id: { description: 'Id of a guided calibration.' },
  filename: { description: 'Name of a file of the configuration.', examples: ['config.ini'] },
  plugin_kind: { description: '`packages`, or `files`: a single one each.', examples: ['packages'] },
  plugin: { description: 'Name of a file, or of a package, in percent encoding.', examples: ['air-bubbler'] },
  service: { description: 'Name of an instrument, or `nas_upload`.', examples: ['bioreactor'] },
  mode: { description: 'Name of a measurement mode.', examples: ['CV'], location: '$message.payload#/mode' },
  run_id: { description: `Name of the run; it matches \`${RUN_ID_PATTERN}\`.`, examples: ['run-1'] },
  list: { description: 'Number of the list; the first is 1.', examples: ['1'], location: '$message.payload#/list' },
  slot: { description: 'Place of a potentiostat in the box.', examples: ['slot01'] },
}
