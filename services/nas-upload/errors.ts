import { defineError } from '../../events/core/errors.js'

/** What keeps files from reaching the share. */
export const ShareNotConfigured = defineError('nas.not_configured', 'state', 'No network share is configured.')
export const ShareUnsupported = defineError(
  'nas.unsupported',
  'state',
  'This computer or the server cannot be spoken to in a common way.',
)
export const ShareUnreachable = defineError('nas.unreachable', 'state', 'The host of the share does not answer.')
export const WrongPassword = defineError('nas.wrong_password', 'state', 'The server refuses user name or password.')
export const NoShare = defineError('nas.no_share', 'state', 'The server has no share of this name.')
export const NoBaseDirectory = defineError(
  'nas.no_base_directory',
  'state',
  'The share has no directory of the name that is configured.',
)
export const NotPermitted = defineError('nas.not_permitted', 'state', 'The user may not write to the share.')
export const ShareFull = defineError('nas.full', 'state', 'The share or the quota of its user is full.')
export const ShareTimeout = defineError(
  'nas.timeout',
  'state',
  'A program that copies to the share did not end in time.',
)
export const CopyIncomplete = defineError('nas.incomplete', 'state', 'Not every file arrived whole on the share.')
export const ShareFailed = defineError(
  'nas.failed',
  'state',
  'The share cannot be used for another reason; the message says which.',
)
