import { TooManyAttempts } from '../../doors/attempts.js'
import { SessionUnknown } from '../../events/bioreactor/calibration-sessions.js'
import {
  ArtifactNotWritten,
  CalibrationUnknown,
  CalibrationUnreadable,
  EstimatorUnknown,
  EstimatorUnreadable,
  JobNotRunning,
  SettingUnavailable,
} from '../../events/bioreactor/errors.js'
import { ConfigNotWritten, ConfigUnreadable } from '../../events/config/errors.js'
import {
  type DeclaredError,
  defineError,
  type ErrorDeclaration,
  type ErrorFamily,
  InternalError,
  isDefect,
  LabError,
  toErrorRecord,
} from '../../events/core/errors.js'
import { DatabaseProtected, FilesDisallowed, OutsideData } from '../../events/machine/errors.js'
import { InstallsDisallowed } from '../../events/plugins/errors.js'
import { InvalidRunOrder, InvalidRunParameters, NoSuchRun, RunNotRecorded } from '../../events/potentiostat/errors.js'
import { LogDamaged, LogUnavailable, MessageTooLarge, NoAnswer, ServicesSuspended } from '../../events/system/errors.js'
import { ReadModelsNotReady } from '../../projections/read-models.js'

const FAMILY_STATUS: Readonly<Record<ErrorFamily, number>> = { input: 400, state: 409, hardware: 503, defect: 500 }

/** Errors of other folders whose status is not that of their family, as the two APIs promise it or HTTP has a better one. */
const EXCEPTIONS: readonly (readonly [status: number, errors: readonly ErrorDeclaration[]])[] = [
  [400, [SettingUnavailable]],
  [403, [DatabaseProtected, FilesDisallowed, InstallsDisallowed, OutsideData]],
  [404, [CalibrationUnknown, EstimatorUnknown, JobNotRunning, NoSuchRun, SessionUnknown]],
  [413, [MessageTooLarge]],
  [422, [InvalidRunOrder, InvalidRunParameters]],
  [429, [TooManyAttempts]],
  [
    500,
    [ArtifactNotWritten, CalibrationUnreadable, ConfigNotWritten, ConfigUnreadable, EstimatorUnreadable, LogDamaged],
  ],
  // Neither the request nor what it names stands in the way: it may be sent again as it is.
  [503, [LogUnavailable, NoAnswer, ReadModelsNotReady, RunNotRecorded, ServicesSuspended]],
]

const statuses = new Map(EXCEPTIONS.flatMap(([status, errors]) => errors.map(({ code }) => [code, status] as const)))

/** Gives an error of the gateway a status that is not that of its family.
 * ```ts
 * const VialNotFound = withStatus(404, defineError('vials.not_found', 'input', 'There is no such vial.'))
 * ``` */
export function withStatus(status: number, error: DeclaredError): DeclaredError {
  statuses.set(error.code, status)
  return error
}

/** HTTP status of an error. */
export const statusOf = ({ code, family }: ErrorDeclaration | LabError): number =>
  statuses.get(code) ?? FAMILY_STATUS[family]

export const NotFound = withStatus(404, defineError('request.not_found', 'input', 'No endpoint has this path.'))
export const RequestTooLarge = withStatus(
  413,
  defineError('request.too_large', 'input', 'The body is larger than the endpoint accepts.'),
)
const MalformedPath = defineError('request.malformed_path', 'input', 'The path holds an invalid percent encoding.')
export const PreconditionFailed = withStatus(
  412,
  defineError('request.precondition_failed', 'input', 'The file is not the one the request is conditional on.'),
)
export const InvalidRange = withStatus(
  416,
  defineError('request.invalid_range', 'input', 'The file has no bytes in the range asked for.'),
)

const malformedPath = (): LabError => new MalformedPath('The path holds an invalid percent encoding.')

/** What router and file sender refuse by a status. */
const REFUSALS: ReadonlyMap<unknown, () => LabError> = new Map<unknown, () => LabError>([
  [400, malformedPath],
  [404, () => new NotFound('There is no such file on this server.')],
  [412, () => new PreconditionFailed('The file is not the one the request is conditional on.')],
  [416, () => new InvalidRange('The file has no bytes in this range.')],
])

/** Any thrown value as a LabError; a defect becomes `internal.error` with its message hidden. */
export function toLabError(error: unknown): LabError {
  if (error instanceof LabError && !isDefect(error)) return error
  if (error instanceof URIError) return malformedPath()
  const refusal = error instanceof Error && 'status' in error ? REFUSALS.get(error.status) : undefined
  return refusal?.() ?? new InternalError(toErrorRecord(error).message, { cause: error })
}
