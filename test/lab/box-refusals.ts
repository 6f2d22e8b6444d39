/** Requests that a running box refuses, with status and code. A run `finished` has ended, a run `measuring` holds slot02. */
export const refusals: (readonly [method: string, path: string, body: unknown, status: number, code: string])[] = [
  ['GET', '/nowhere', undefined, 404, 'request.not_found'],
  ['DELETE', '/jobs', undefined, 405, 'request.method_not_allowed'],
  ['GET', '/modes/XY/params', undefined, 400, 'modes.parameter_error'],
  ['POST', '/modes/XY/validate', {}, 404, 'modes.not_found'],
  ['POST', '/modes/CV/validate', '[]', 422, 'request.validation_error'],
  ['POST', '/modes/CV/validate', '{', 422, 'request.validation_error'],
  ['GET', '/jobs?state=', undefined, 422, 'request.validation_error'],
  ['GET', '/jobs/nobody', undefined, 404, 'jobs.not_found'],
  ['GET', '/jobs/status', undefined, 404, 'jobs.not_found'],
  ['POST', '/jobs/nobody/cancel', undefined, 404, 'jobs.not_found'],
  ['POST', '/jobs/status', { run_ids: [] }, 422, 'request.validation_error'],
  ['POST', '/jobs/status', { run_ids: ['', ''] }, 400, 'jobs.missing_run_ids'],
  ['POST', '/jobs/status', { run_ids: ['finished', 'nobody'] }, 404, 'jobs.run_ids_unknown'],
  ['GET', '/runs/nobody/files', undefined, 404, 'runs.not_found'],
  ['GET', '/runs/nobody/file?path=x', undefined, 404, 'runs.not_found'],
  ['GET', '/runs/nobody/zip', undefined, 404, 'runs.not_found'],
  ['GET', '/runs/finished/file', undefined, 422, 'request.validation_error'],
  ['GET', '/runs/finished/file?path=', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=slot01', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=slot02/CA/x.csv', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=../_run_paths.json', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=/etc/passwd', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=..%2f..%2fevent-log.db', undefined, 404, 'runs.file_not_found'],
  ['GET', '/runs/finished/file?path=x%00', undefined, 404, 'runs.file_not_found'],
  ['POST', '/nas/setup', { host: 'h' }, 422, 'request.validation_error'],
  ['POST', '/nas/setup', { host: '', share: 's', username: 'u', password: 'p' }, 400, 'nas.invalid_config'],
  ['POST', '/nas/setup', { host: 'a b', share: 's', username: 'u', password: 'p' }, 400, 'nas.invalid_config'],
  [
    'POST',
    '/nas/setup',
    { host: 'h', share: 's', username: 'u', password: 'p', retention_days: 0 },
    400,
    'nas.invalid_config',
  ],
  ['POST', '/runs/nobody/upload', undefined, 404, 'runs.not_found'],
  ['POST', '/runs/measuring/upload', undefined, 409, 'runs.not_complete'],
]

/** Changes to an order for slot01 that make it refused. */
export const refusedOrders: (readonly [changes: object, status: number, code: string])[] = [
  [{ modes: [] }, 422, 'request.validation_error'],
  [{ devices: 'some' }, 422, 'request.validation_error'],
  [{ tia_gain: 2.5 }, 422, 'request.validation_error'],
  [{ experiment_name: 5 }, 422, 'request.validation_error'],
  [{ modes: ['CA', 'EIS'] }, 422, 'jobs.invalid_request'],
  [{ devices: ['slot01', 'slot01'] }, 422, 'jobs.invalid_request'],
  [{ devices: [] }, 400, 'jobs.invalid_devices'],
  [{ devices: ['slot09'] }, 400, 'jobs.invalid_devices'],
  [{ devices: ['slot01', 'slot09'] }, 400, 'jobs.invalid_devices'],
  [{ run_name: 'finished' }, 409, 'jobs.run_id_conflict'],
  [{ run_name: 'measuring', devices: ['slot02'] }, 409, 'jobs.run_id_conflict'],
  [{ run_name: '../x' }, 400, 'jobs.invalid_name'],
  [{ experiment_name: ' ' }, 400, 'jobs.invalid_name'],
  [{ subdir: '..' }, 400, 'jobs.invalid_name'],
  [{ client_datetime: '' }, 400, 'jobs.invalid_name'],
  [{ modes: ['XY'], params_by_mode: { XY: {} } }, 422, 'jobs.invalid_params'],
  [{ params_by_mode: { CA: { potential: 0.3 } } }, 422, 'jobs.invalid_params'],
  [
    { modes: ['CA', 'OCP'], params_by_mode: { CA: { potential: 0.3, duration: 0.2 }, OCP: { duration: -1 } } },
    422,
    'jobs.invalid_params',
  ],
  [{ tia_gain: 9 }, 422, 'jobs.invalid_params'],
  [{ sampling_interval: -1 }, 422, 'jobs.invalid_params'],
  [{ devices: ['slot02'] }, 409, 'jobs.slots_busy'],
  [{ devices: 'all' }, 409, 'jobs.slots_busy'],
]

const pulses = (repetitions: number, potentials: readonly number[]): object => ({
  modes: Array(repetitions).fill('PSTEP'),
  params_by_mode: { PSTEP: { potentials, step_duration: 0.001 } },
})

/** Changes to an order whose event, or whose refusal, would be larger than the broker takes. */
export const oversizedOrders: (readonly [what: string, changes: object])[] = [
  ['10 000 wrong potentials', pulses(1, Array(10_000).fill(20))],
  ['4000 modes', { modes: Array(4000).fill('CA') }],
  ['50 modes with 5000 potentials each', pulses(50, Array(5000).fill(0.1))],
]
