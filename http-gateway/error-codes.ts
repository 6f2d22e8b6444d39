/** HTTP status and meaning of every error code that can reach a client. `docs/errors.md` is written from it. */
export const errorCodes = {
  'request.not_found': [404, 'No endpoint has this path.'],
  'request.method_not_allowed': [405, 'The path exists, but not with this method.'],
  'request.malformed_path': [400, 'The path holds an invalid percent encoding.'],
  'request.invalid_body': [400, 'Unit API: the body is not a JSON object of the documented form.'],
  'request.validation_error': [
    422,
    'Box API: body or query do not have the documented form; `detail` lists every issue.',
  ],
  'request.too_large': [413, 'The body is larger than the endpoint accepts.'],
  'request.invalid_range': [416, 'The file has no bytes in the range asked for.'],
  'request.precondition_failed': [412, 'The file is not the one the request is conditional on.'],
  'request.unknown': [409, 'No running service takes this kind of command.'],
  'request.cross_site': [403, 'A web page of another site tried to change something through the browser.'],
  'auth.invalid_api_key': [401, 'Box API: `X-API-Key` is missing or wrong.'],
  'auth.invalid_password': [401, 'Unit API: the HTTP Basic password is missing or wrong.'],
  'internal.error': [500, 'A defect of ours; the log has the details under the request id.'],
  'input.invalid': [400, 'A value has the wrong type or is out of range; the message names field, value and limit.'],
  'config.invalid': [500, 'Settings of the environment are wrong; reported at start, never over HTTP.'],
  'services.no_answer': [503, 'The services did not answer the command in time; it may still be executed.'],
  'services.refused': [409, 'A service refused the command without naming a reason.'],
  'log.unavailable': [503, 'The event log cannot be written, so nothing is accepted.'],
  'projections.behind': [503, 'The command was accepted, but the read models do not show it yet.'],
  'hardware.no_device': [503, 'No device acknowledged.'],
  'job.start_too_frequent': [429, 'A job of this name was started less than a second ago.'],
  'job.no_filter': [400, 'An order to stop jobs names no filter.'],
  'job.not_running': [404, 'No job of this name runs.'],
  'setting.unknown': [400, 'The job has no setting of this name.'],
  'setting.read_only': [400, 'The setting is published but cannot be set.'],
  'setting.not_published': [404, 'The running job has not published a setting of this name.'],
  'devices.unavailable': [503, 'No potentiostat service has announced its modes.'],
  'modes.parameter_error': [400, 'No measurement mode has this name.'],
  'modes.not_found': [404, 'No measurement mode has this name, so nothing can be validated.'],
  'jobs.invalid_request': [422, 'The order contradicts itself: a mode without parameters, or a slot named twice.'],
  'jobs.invalid_params': [422, 'Parameters of a mode are invalid; `errors` lists them by mode and field.'],
  'jobs.invalid_devices': [400, 'A slot does not exist, or none is connected.'],
  'jobs.invalid_name': [400, 'A name or date leaves nothing usable as a file name, or a run name is not allowed.'],
  'jobs.run_id_conflict': [409, 'The run name is taken.'],
  'jobs.slots_busy': [409, 'Another run holds a slot; `slots` names them.'],
  'jobs.missing_run_ids': [400, 'Only empty run ids were given.'],
  'jobs.run_ids_unknown': [404, 'At least one run id is unknown; the message lists them.'],
  'jobs.not_found': [404, 'No run has this id.'],
  'runs.not_found': [404, 'No run has this id, or it has no files.'],
  'runs.file_not_found': [404, 'The run has no file of this path.'],
  'runs.not_complete': [409, 'The run has not ended, or its files are no longer on this computer.'],
  'nas.invalid_config': [400, 'A setting of the network share is empty, too small or holds characters it may not.'],
} as const satisfies Readonly<Record<string, readonly [status: number, meaning: string]>>

export type ErrorCode = keyof typeof errorCodes

/** The table as a page, in the order above. */
export function renderErrorCodes(): string {
  const rows = Object.entries(errorCodes).map(([code, [status, meaning]]) => `| \`${code}\` | ${status} | ${meaning} |`)
  return [
    '# Error codes',
    '',
    'Unit API bodies are `{ error, cause, remediation?, status }`; box API bodies carry `code`, `message`, `hint` and `detail`.',
    'Written from `http-gateway/error-codes.ts`.',
    '',
    '| Code | Status | Meaning |',
    '|---|---|---|',
    ...rows,
    '',
  ].join('\n')
}
