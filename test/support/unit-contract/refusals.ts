/** A request that must be refused. */
export interface Refusal {
  /** Entry of the contract. */
  readonly id: string
  readonly because: string
  /** Values of the parameters of the path, sent as they stand. */
  readonly path?: Readonly<Record<string, string>>
  /** Sent as JSON; a text is sent as it stands. */
  readonly body?: unknown
  readonly status: number
  /** A text is the whole of it. */
  readonly error: string | RegExp
  readonly cause?: string | RegExp
  /** The whole of it; true: there is one, false: there is none. */
  readonly remediation?: string | boolean
  /** Only where the unit stands alone, or only where it is a worker. */
  readonly role?: 'alone' | 'worker'
}

const bothMethods = (path: string): readonly string[] => [`POST ${path}`, `PATCH ${path}`]

/** Endpoints that read a body, with what their type requires. */
const WITH_BODY: readonly (readonly [ids: readonly string[], required: string, path?: Refusal['path']])[] = [
  [bothMethods('/unit_api/config/specific'), 'code'],
  [['POST /unit_api/calibrations/{device}'], 'calibration_data', { device: 'media_pump' }],
  [['PATCH /unit_api/bioreactor/experiments/{experiment}'], 'values', { experiment: 'exp1' }],
  [bothMethods('/unit_api/jobs/stop'), ''],
  [bothMethods('/unit_api/hardware/check'), 'model_name, model_version'],
  [bothMethods('/unit_api/system/remove_file'), 'filepath'],
  [bothMethods('/unit_api/plugins/install'), ''],
  [bothMethods('/unit_api/plugins/uninstall'), ''],
  [bothMethods('/unit_api/system/update'), ''],
  [bothMethods('/unit_api/system/update/{target}'), '', { target: 'app' }],
]

const MALFORMED: readonly (readonly [because: string, body: string, cause: RegExp])[] = [
  ['nothing', '', /^Input data was truncated/],
  ['a text cut off', '{', /^Input data was truncated/],
  ['no JSON', "{'a': 1}", /^JSON is malformed/],
  ['what follows the value', '{} {}', /^JSON is malformed/],
  ['a number that JSON has not', 'NaN', /^JSON is malformed/],
  ['a list', '[]', /^Expected `object`, got `array`/],
  ['null', 'null', /^Expected `object`, got `null`/],
]

const malformedBodies = WITH_BODY.flatMap(([ids, required, path = {}]) =>
  ids.flatMap((id) => [
    ...MALFORMED.map(
      ([because, body, cause]): Refusal => ({
        ...{ id, path, because: `a body that is ${because}`, body, cause, status: 400, error: 'Invalid request body.' },
        remediation: required === '' ? true : `Send a JSON object with the required fields: ${required}.`,
      }),
    ),
    ...(required === ''
      ? []
      : [
          {
            ...{ id, path, because: 'a missing field', body: {}, status: 400, error: 'Invalid request body.' },
            cause: /^Object missing required field `/,
          },
        ]),
  ]),
)

/** Names that leave their directory, on every route that takes some. Source: acceptance check 24. */
const badNames = (['calibration', 'estimator'] as const).flatMap((word) => {
  const field = `${word}_name`
  const plural = `${word}s`
  const one = `/unit_api/${plural}/{device}/{${field}}`
  const named = [`GET ${one}`, `DELETE ${one}`, `PATCH /unit_api/active_${plural}/{device}/{${field}}`]
  const ofDevice = [`GET /unit_api/${plural}/{device}`, `DELETE /unit_api/active_${plural}/{device}`]
  const refusal = (id: string, path: Record<string, string>, wrong: string, told: string): Refusal => ({
    ...{ id, path, because: `a bad ${wrong}`, status: 400, error: `Missing or invalid '${wrong}'.` },
    cause: `${told} is missing or contains invalid characters.`,
    remediation: true,
  })
  return [
    ...[...named, ...ofDevice].flatMap((id) =>
      ['%2E%2E', '.hidden', '-x', 'a%20%20b', '%C3%A9', 'a%2Bb', 'a'.repeat(256)].map((device) =>
        refusal(id, { device, [field]: 'x' }, 'device', 'Device'),
      ),
    ),
    ...named.map((id) =>
      refusal(
        id,
        { device: 'od90', [field]: '%2E%2E' },
        field,
        word === 'calibration' ? 'Calibration name' : 'Estimator name',
      ),
    ),
    ...named.map(
      (id): Refusal => ({
        ...{ id, path: { device: 'od90', [field]: 'missing' }, because: 'one that is not there', status: 404 },
        error: /missing.*od90|od90.*missing/,
        remediation: true,
      }),
    ),
  ]
})

const config = bothMethods('/unit_api/config/specific').flatMap((id): readonly Refusal[] => [
  { id, because: 'a section twice', body: { code: '[a]\nx=1\n[a]\ny=2\n' }, status: 400, error: /\[a\]/ },
  { id, because: 'an option twice', body: { code: '[a]\nx=1\nx=2\n' }, status: 400, error: /x.*a|a.*x/ },
  { id, because: 'an option before any section', body: { code: 'x=1\n' }, status: 400, error: /\S/ },
  { id, because: 'a section that is not closed', body: { code: '[a\nx=1\n' }, status: 400, error: /\S/ },
  { id, because: 'a line that begins with =', body: { code: '[a]\n=1\n' }, status: 400, error: /\S/ },
  {
    id,
    because: 'a reference to nothing',
    body: { code: '[a]\nx=%(nope)s\n' },
    status: 400,
    error: /nope/,
  },
  {
    id,
    because: 'an unknown field',
    body: { code: '', z: 1 },
    status: 400,
    error: 'Invalid request body.',
    cause: /`z`/,
  },
])

const calibrations: readonly Refusal[] = [
  {
    ...{ id: 'GET /unit_api/calibrations/{device}', path: { device: 'nothing' }, because: 'a device without any' },
    status: 404,
    error: /folder|directory/,
  },
  ...(
    [
      ['a flag that is a text', { calibration_data: 'x: 1', set_as_active: 'yes' }],
      ['no calibration', { calibration_data: 'x: 1' }],
      ['an unknown type', { calibration_data: { calibration_type: 1 } }],
      ['no YAML', { calibration_data: '{{{' }],
    ] as const
  ).map(
    ([because, body]): Refusal => ({
      ...{ id: 'POST /unit_api/calibrations/{device}', path: { device: 'media_pump' }, because, body, status: 400 },
      error: /\S/,
      cause: /\S/,
    }),
  ),
  {
    ...{ id: 'GET /unit_api/automations/descriptors/{automation_type}', because: 'no such family', status: 400 },
    ...{ path: { automation_type: 'weather' }, error: /\S/, remediation: true },
  },
]

const run = 'POST /unit_api/jobs/run/job_name/{job_name}'
const dose = (
  job_name: string,
  options: unknown,
  env: object,
  because: string,
): Pick<Refusal, 'because' | 'path' | 'body'> => ({
  ...{ because, path: { job_name }, body: { options, env: { EXPERIMENT: 'full', ...env }, args: [] } },
})
const UNKNOWN_MODEL = {
  ...{ status: 400, error: 'Unknown Pioreactor model.' },
  cause: "Unknown model 'pioreactor_9ml' with version '1.0'.",
}

/** 14 mL are in the vial of an experiment that nobody spoke of; more than 18 mL would be too much for a vessel of 20 mL. */
const jobs: readonly Refusal[] = [
  {
    ...dose('add_media', { ml: 6 }, { MODEL_NAME: 'pioreactor_20ml', MODEL_VERSION: '1.5' }, 'no room'),
    ...{ id: run, status: 400, error: 'Requested dose would meet or exceed the reactor safety threshold.' },
    remediation: true,
  },
  {
    ...dose('add_alt_media', { ml: 1 }, { MODEL_NAME: 'pioreactor_9ml', MODEL_VERSION: '1.0' }, 'an unknown model'),
    ...{ id: run, ...UNKNOWN_MODEL },
  },
  {
    ...{ id: run, because: 'a start within the second', path: { job_name: 'add_alt_media' }, body: '', status: 429 },
    error: /\S/,
    remediation: false,
  },
  ...bothMethods('/unit_api/jobs/stop').flatMap((id): readonly Refusal[] => [
    { id, because: 'no filter', body: {}, status: 400, error: /\S/, remediation: false },
    { id, because: 'empty filters', body: { job_name: '', job_id: 0, experiment: null }, status: 400, error: /\S/ },
    { id, because: 'an unknown field', body: { z: 1 }, status: 400, error: 'Invalid request body.', cause: /`z`/ },
  ]),
  ...bothMethods('/unit_api/hardware/check').map(
    (id): Refusal => ({
      ...{ id, because: 'an unknown model', body: { model_name: 'pioreactor_9ml', model_version: '1.0' } },
      ...UNKNOWN_MODEL,
    }),
  ),
  ...['', '/setting/{setting}'].map(
    (rest): Refusal => ({
      ...{ id: `GET /unit_api/jobs/settings/job_name/{job_name}${rest}`, because: 'a job that does not run' },
      ...{ path: { job_name: 'nope', setting: 'x' }, status: 404, error: /\S/ },
    }),
  ),
  {
    ...{ id: 'PATCH /unit_api/jobs/settings/job_name/{job_name}', because: 'a job that does not run', status: 404 },
    ...{ path: { job_name: 'nope' }, body: { settings: { target_rpm: 1 } }, error: /\S/ },
  },
  ...(
    [
      ['none', {}, /\S/],
      ['one that there is not', { nope: 1 }, /nope/],
      ['one that is no number', { current_volume_ml: 'x' }, /current_volume_ml/],
      ['one below zero', { current_volume_ml: -1 }, /current_volume_ml/],
      ['one above the vessel', { efflux_tube_volume_ml: 100 }, /efflux_tube_volume_ml/],
      ['one that is good and one that is not', { current_volume_ml: 10, nope: 1 }, /nope/],
    ] as const
  ).map(
    ([because, values, error]): Refusal => ({
      ...{ id: 'PATCH /unit_api/bioreactor/experiments/{experiment}', path: { experiment: 'exp1' } },
      ...{ because: `of the values ${because}`, body: { values }, status: 400, error },
    }),
  ),
]

const plugins = bothMethods('/unit_api/plugins/install').flatMap((id): readonly Refusal[] => [
  { id, because: 'no name', body: { args: [] }, status: 400, error: /\S/ },
  { id, because: 'two names', body: { args: ['a', 'b'] }, status: 400, error: /\S/ },
])

const update = bothMethods('/unit_api/system/update/{target}').flatMap((id): readonly Refusal[] => [
  {
    ...{ id, because: 'another target', path: { target: 'invalid' }, body: { args: [], options: {}, env: {} } },
    ...{ status: 404, error: 'Invalid target', cause: 'Invalid target', remediation: false },
  },
  ...(
    [
      [{ branch: "x'; touch y" }, /branch\/ref/],
      [{ branch: 'a..b' }, /branch\/ref/],
      [{ repo: 'pioreactor/pioreactor;touch' }, /owner\/repo/],
      [{ sha: 'xyz' }, /sha/],
      [{ branch: null }, /branch/],
    ] as const
  ).map(
    ([options, error]): Refusal => ({
      ...{ id, because: `options ${JSON.stringify(options)}`, path: { target: 'app' } },
      ...{ body: { args: [], options, env: {} }, status: 400, error },
    }),
  ),
])

const system: readonly Refusal[] = [
  ...['missing', '%2E%2E/%2E%2E/%2E%2E/nothing-of-this-name'].map(
    (req_path): Refusal => ({
      ...{ id: 'GET /unit_api/system/path/{req_path}', because: `the path ${req_path}`, path: { req_path } },
      ...{ status: req_path === 'missing' ? 404 : 403, error: /\S/ },
    }),
  ),
  ...bothMethods('/unit_api/system/remove_file').map(
    (id): Refusal => ({
      id,
      because: 'a file elsewhere',
      body: { filepath: '/etc/hostname' },
      status: 403,
      error: /\S/,
    }),
  ),
  ...bothMethods('/unit_api/system/utc_clock').flatMap((id): readonly Refusal[] => [
    { id, because: 'no time', body: {}, status: 400, error: 'Invalid request body.', remediation: true, role: 'alone' },
    {
      ...{ id, because: 'a time without zone', body: { utc_clock_time: '2026-01-01T00:00:00' }, role: 'alone' },
      ...{ status: 400, error: /utc_clock_time/, remediation: true },
    },
  ]),
  {
    ...{ id: 'GET /unit_api/plugins/installed/{filename}', because: 'no plugin', path: { filename: 'nothing.py' } },
    ...{ status: 404, error: /\S/ },
  },
  {
    ...{ id: 'GET /unit_api/plugins/installed/{filename}', because: 'no Python', path: { filename: 'config.ini' } },
    ...{ status: 404, error: /\S/ },
  },
  { id: 'POST /unit_api/import_zipped_dot_pioreactor', because: 'no archive', body: '', status: 400, error: /\S/ },
]

/** Per endpoint the errors of `unit-api-behaviour.md` §2 that a request alone can bring about. */
export const REFUSALS: readonly Refusal[] = [
  ...malformedBodies,
  ...badNames,
  ...config,
  ...calibrations,
  ...jobs,
  ...plugins,
  ...update,
  ...system,
]
