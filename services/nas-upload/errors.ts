import { type ErrorOptions, LabError } from '../../events/core/errors.js'

/** What keeps files from reaching the share. */
export type NasReason =
  | 'not_configured'
  | 'unsupported'
  | 'unreachable'
  | 'wrong_password'
  | 'no_share'
  | 'no_base_directory'
  | 'not_permitted'
  | 'full'
  | 'timeout'
  | 'incomplete'
  | 'failed'

/** The share cannot be used now; code `nas.<reason>`. */
export class NasUnavailable extends LabError {
  constructor(reason: NasReason, message: string, options: ErrorOptions = {}) {
    super(`nas.${reason}`, 'state', message, options)
  }
}
