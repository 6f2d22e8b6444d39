import type { Example } from './documented-shape.js'

/** How an entry of the contract is walked. */
export interface Recipe {
  /** `GET /unit_api/jobs`, or `POST+PATCH /unit_api/jobs/stop`: twins one after the other. */
  readonly id: string
  /** Values of the parameters of the path. */
  readonly path?: Readonly<Record<string, string>>
  /** Sent as JSON. */
  readonly body?: unknown
  /** Sent as a file of a form instead: the archive that was downloaded before. */
  readonly upload?: true
  /** What is documented, where the contract's example does not show it. */
  readonly shows?: Example
  /** The example's keys are names of devices: the values are compared. */
  readonly byName?: true
  /** Content type, where it is not JSON. */
  readonly type?: string
  /** `Cache-Control` of the success; null: none. */
  readonly cache: string | null
  /** Answers 403 on a worker. Source: `unit-api-behaviour.md` appendix A. */
  readonly leaderOnly?: true
  /** The task fails here: what it wants is not there, or not allowed. */
  readonly fails?: boolean
}

const fresh = (seconds: number): string => `public, max-age=${seconds}`
const NO_CACHE = 'no-cache'

const PUMP = {
  calibration_type: 'simple_peristaltic_pump',
  calibration_name: 'pump 1',
  calibrated_on_pioreactor_unit: 'lab',
  created_at: '2026-01-28T01:45:28.286000Z',
  curve_data_: { type: 'poly', coefficients: [0.0931, 0] },
  x: 'Duration',
  y: 'Volume',
  recorded_data: { x: [8, 9.5, 11], y: [0.75, 0.89, 1.02] },
  hz: 250,
  dc: 100,
  voltage: 12,
}
const ACCEPTED = { unit: '', task_id: '', result_url_path: '', status: 'accepted' }
const JOB = { job_id: 1, unit: '', experiment: '', job_name: '', job_source: '', started_at: '', ended_at: null }
const RUNNING_JOB = { ...JOB, is_running: 1, leader: '', pid: 1, is_long_running_job: 0 }
const DONE = { msg: '' }
const PUMPS = { device: 'media_pump', calibration_name: 'pump 1' }
const FUSION = { device: 'od_fused', estimator_name: 'fusion' }
const STIRRING = { job_name: 'stirring' }
const ORDER = { options: {}, env: { EXPERIMENT: 'exp1', JOB_SOURCE: 'api' }, args: [], config_overrides: [] }

/** Every entry of the contract, in an order in which each finds what it is about. */
export const RECIPES: readonly Recipe[] = [
  { id: 'GET /unit_api/health', cache: fresh(0) },
  { id: 'GET /unit_api/versions/app', cache: fresh(30) },
  { id: 'GET /unit_api/capabilities', cache: null },
  { id: 'GET /unit_api/task_results/{task_id}', path: { task_id: 'does_not_exist' }, cache: null },
  {
    id: 'POST+PATCH /unit_api/config/specific',
    body: { code: '[stirring.config]\ninitial_target_rpm=400\n' },
    cache: null,
  },
  { id: 'GET /unit_api/config/specific', type: 'text/plain; charset=utf-8', cache: fresh(0) },
  { id: 'GET /unit_api/config/merged', cache: null },
  { id: 'GET /unit_api/jobs/descriptors', cache: fresh(5) },
  { id: 'GET /unit_api/settings/descriptors', cache: fresh(5) },
  {
    id: 'GET /unit_api/automations/descriptors/{automation_type}',
    path: { automation_type: 'temperature' },
    cache: fresh(5),
  },
  {
    id: 'PATCH /unit_api/bioreactor/experiments/{experiment}',
    path: { experiment: 'exp1' },
    body: { values: { current_volume_ml: 12.5 } },
    cache: null,
  },
  { id: 'GET /unit_api/bioreactor/experiments/{experiment}', path: { experiment: 'exp1' }, cache: null },
  ...calibrations(),
  ...estimators(),
  ...jobs(),
  ...plugins(),
  ...system(),
]

function calibrations(): readonly Recipe[] {
  const ONE = { ...PUMP, is_active: true, pioreactor_unit: '' }
  return [
    { id: 'GET /unit_api/calibration_protocols', cache: fresh(10) },
    {
      id: 'POST /unit_api/calibrations/{device}',
      path: PUMPS,
      body: { calibration_data: PUMP, set_as_active: true },
      shows: { ...DONE, path: '' },
      cache: null,
    },
    { id: 'GET /unit_api/calibrations', byName: true, shows: [ONE], cache: fresh(10) },
    { id: 'GET /unit_api/calibrations/{device}', path: PUMPS, shows: [ONE], cache: fresh(10) },
    { id: 'GET /unit_api/calibrations/{device}/{calibration_name}', path: PUMPS, shows: ONE, cache: fresh(10) },
    { id: 'GET /unit_api/active_calibrations', byName: true, shows: ONE, cache: fresh(10) },
    { id: 'GET /unit_api/zipped_calibrations', type: 'application/zip', cache: NO_CACHE },
    { id: 'PATCH /unit_api/active_calibrations/{device}/{calibration_name}', path: PUMPS, cache: null },
    { id: 'DELETE /unit_api/active_calibrations/{device}', path: PUMPS, cache: null },
    {
      id: 'DELETE /unit_api/calibrations/{device}/{calibration_name}',
      path: PUMPS,
      shows: DONE,
      cache: null,
    },
  ]
}

function estimators(): readonly Recipe[] {
  return [
    { id: 'PATCH /unit_api/active_estimators/{device}/{estimator_name}', path: FUSION, cache: null },
    { id: 'GET /unit_api/estimators', byName: true, cache: fresh(10) },
    { id: 'GET /unit_api/estimators/{device}', path: FUSION, cache: fresh(10) },
    { id: 'GET /unit_api/estimators/{device}/{estimator_name}', path: FUSION, cache: fresh(10) },
    { id: 'GET /unit_api/active_estimators', byName: true, cache: fresh(10) },
    { id: 'DELETE /unit_api/active_estimators/{device}', path: FUSION, cache: null },
    {
      id: 'DELETE /unit_api/estimators/{device}/{estimator_name}',
      path: { ...FUSION, estimator_name: 'doomed' },
      shows: DONE,
      cache: null,
    },
  ]
}

function jobs(): readonly Recipe[] {
  return [
    {
      id: 'POST /unit_api/jobs/run/job_name/{job_name}',
      path: STIRRING,
      body: { ...ORDER, options: { target_rpm: '200' } },
      shows: ACCEPTED,
      cache: null,
    },
    {
      id: 'PATCH /unit_api/jobs/run/job_name/{job_name}',
      path: { job_name: 'od_reading' },
      body: ORDER,
      shows: ACCEPTED,
      cache: null,
    },
    { id: 'GET /unit_api/jobs', shows: [JOB], cache: null },
    { id: 'GET /unit_api/jobs/running', shows: [RUNNING_JOB], cache: null },
    { id: 'GET /unit_api/jobs/running/{job_name}', path: STIRRING, shows: [RUNNING_JOB], cache: null },
    {
      id: 'GET /unit_api/jobs/running/experiments/{experiment}',
      path: { experiment: 'exp1' },
      shows: [RUNNING_JOB],
      cache: null,
    },
    { id: 'GET /unit_api/long_running_jobs/running', shows: [RUNNING_JOB], cache: null },
    {
      id: 'PATCH /unit_api/jobs/settings/job_name/{job_name}',
      path: STIRRING,
      body: { settings: { target_rpm: 300 } },
      shows: { status: 'success' },
      cache: null,
    },
    {
      id: 'GET /unit_api/jobs/settings/job_name/{job_name}',
      path: STIRRING,
      shows: { settings: { $state: 'ready', target_rpm: 300 } },
      cache: null,
    },
    {
      id: 'GET /unit_api/jobs/settings/job_name/{job_name}/setting/{setting}',
      path: { ...STIRRING, setting: 'target_rpm' },
      shows: { target_rpm: 300 },
      cache: null,
    },
    {
      id: 'POST+PATCH /unit_api/jobs/stop',
      body: { job_name: 'od_reading' },
      shows: ACCEPTED,
      cache: null,
    },
    { id: 'POST+PATCH /unit_api/jobs/stop/all', shows: ACCEPTED, cache: null },
    {
      id: 'POST+PATCH /unit_api/hardware/check',
      body: { model_name: 'pioreactor_40ml', model_version: '1.5' },
      shows: ACCEPTED,
      cache: null,
    },
  ]
}

function plugins(): readonly Recipe[] {
  return [
    { id: 'GET /unit_api/plugins/installed', cache: fresh(5) },
    {
      id: 'GET /unit_api/plugins/installed/{filename}',
      path: { filename: 'example_plugin.py' },
      type: 'text/plain; charset=utf-8',
      cache: fresh(5),
    },
    {
      id: 'POST+PATCH /unit_api/plugins/install',
      body: { args: ['nothing-here'], options: { source: '/nonexistent/nothing.tgz' }, env: {} },
      shows: ACCEPTED,
      cache: null,
      fails: true,
    },
    {
      id: 'POST+PATCH /unit_api/plugins/uninstall',
      body: { args: ['unwanted'], options: {}, env: {} },
      shows: ACCEPTED,
      cache: null,
    },
  ]
}

function system(): readonly Recipe[] {
  const task = (path: string, body?: unknown): Recipe => ({
    id: `POST+PATCH /unit_api/system/${path}`,
    body,
    shows: ACCEPTED,
    cache: null,
    fails: true,
  })
  return [
    { id: 'GET /unit_api/system/path/', cache: fresh(5) },
    { id: 'GET /unit_api/system/path/{req_path}', path: { req_path: 'storage' }, cache: fresh(5) },
    {
      ...task('remove_file', { filepath: 'plugins/example_plugin.py' }),
      ...{ id: 'POST /unit_api/system/remove_file', fails: false },
    },
    // It is gone by then.
    {
      ...task('remove_file', { filepath: 'plugins/example_plugin.py' }),
      id: 'PATCH /unit_api/system/remove_file',
    },
    { id: 'GET /unit_api/system/utc_clock', cache: null },
    task('utc_clock', { utc_clock_time: '2026-01-01T00:00:00Z' }),
    task('repair'),
    task('update', { args: [], options: {}, env: {} }),
    { ...task('update/{target}', { args: [], options: {}, env: {} }), path: { target: 'app' } },
    task('reboot'),
    task('shutdown'),
    { id: 'GET /unit_api/system/web_server/status', cache: fresh(3), leaderOnly: true },
    { ...task('web_server/restart'), leaderOnly: true },
    { id: 'GET /unit_api/zipped_dot_pioreactor', type: 'application/zip', cache: NO_CACHE },
    { id: 'POST /unit_api/import_zipped_dot_pioreactor', upload: true, shows: ACCEPTED, cache: null },
  ]
}
