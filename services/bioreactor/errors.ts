import { defineError } from '../../events/core/errors.js'

export const PartMissing = defineError('hardware.missing', 'hardware', 'A part that the job needs is not there.')
