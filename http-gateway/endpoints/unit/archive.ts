import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import {
  ArchiveInvalid,
  EXPORT_LIST,
  ExportEntries,
  importArchiveTask,
  prepareExportCommand,
} from '../../../events/machine/archive.js'
import { FilesDisallowed } from '../../../events/machine/errors.js'
import { checkJson } from '../../../events/schema.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { isHidden } from '../../../primitives/contained-path.js'
import { order } from '../../commands.js'
import { refuseDisallowed } from '../../data-files.js'
import { type Endpoint, endpoint, SENT } from '../../framework/endpoint.js'
import { RequestTooLarge } from '../../framework/errors.js'
import { receiveUpload } from '../../framework/receive-upload.js'
import { zipFiles } from '../../framework/zip-files.js'
import { ServicesNotReady, servicesNotReady } from '../../readiness.js'
import { spoolUpload, withSpooledFolder } from '../../spool.js'
import { taskEndpoint } from './task-endpoint.js'

/** Databases are copied before the first byte is sent. */
const PREPARE_MS = 30_000
const MAX_UPLOAD_BYTES = 2 ** 30

const NoArchive = defineError('archive.not_uploaded', 'input', 'The form that was sent has no file named archive.', {
  remediation: 'Send multipart/form-data with one file in the field archive.',
})

const exportArchive = endpoint({
  method: 'get',
  path: '/unit_api/zipped_dot_pioreactor',
  summary:
    'The data directory as a zip archive: configuration without passwords, keys and tokens, calibrations, plugins, copies of databases.',
  response: Type.String({ contentEncoding: 'binary' }),
  produces: 'application/zip',
  needs: 'nothing',
  errors: [FilesDisallowed, NoAnswer, LogUnavailable],
  admit: refuseDisallowed,
  async handle({ request, response }, context) {
    const { unit, spoolDirectory, dotPioreactor, privatePaths, logger } = context
    response.type('application/zip')
    response.set('content-disposition', `attachment; filename=${unit}_dot_pioreactor.zip`)
    response.set('cache-control', 'no-cache')
    if (request.method === 'HEAD') {
      response.end()
      return SENT
    }
    const { spool } = await order(context, prepareExportCommand, {}, { timeoutMs: PREPARE_MS }).catch((error) => {
      for (const name of ['content-type', 'content-disposition', 'cache-control']) response.removeHeader(name)
      throw error
    })
    await withSpooledFolder(spoolDirectory, spool, async (folder) => {
      const listed = checkJson(ExportEntries, await readFile(join(folder, EXPORT_LIST), 'utf8'))
      const hidden = await Promise.all(listed.map(({ location }) => isHidden(dotPioreactor, location, privatePaths)))
      const own = listed.filter(({ location }, index) => location.startsWith(folder) || hidden[index] === false)
      await zipFiles(own, response)
    }).catch((error: unknown) => {
      response.destroy()
      logger.info({ err: error }, 'zip download ended early')
    })
    return SENT
  },
})

const importArchive = taskEndpoint({
  method: 'post',
  path: '/unit_api/import_zipped_dot_pioreactor',
  summary:
    'Replaces the data directory by that of an archive, as a whole or not at all, and starts the unit again. The archive is checked before it is accepted.',
  upload: { field: 'archive', mediaType: 'application/zip', maxBytes: MAX_UPLOAD_BYTES },
  task: importArchiveTask,
  errors: [FilesDisallowed, NoArchive, RequestTooLarge, ServicesNotReady],
  refusals: [ArchiveInvalid, FilesDisallowed],
  async admit(input, context) {
    await refuseDisallowed(input, context).catch((error: unknown) => {
      context.logger.error({ err: error }, 'an archive was to be imported, which is forbidden')
      throw error
    })
  },
  async order({ request }, { services, spoolDirectory }) {
    // An archive does not wait in the spool for somebody to come.
    if (!services.isLive()) throw servicesNotReady(services.record()?.state)
    const options = { field: 'archive', maxBytes: MAX_UPLOAD_BYTES }
    const spool = await spoolUpload(spoolDirectory, (put) => receiveUpload(request, options, put))
    if (spool === null) throw new NoArchive('No archive was uploaded.')
    return { spool }
  },
})

export const archive: readonly Endpoint[] = [exportArchive, importArchive]
