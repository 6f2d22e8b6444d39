import { basename } from 'node:path'
import { Type } from '@sinclair/typebox'
import type { Response } from 'express'
import { InvalidInput } from '../../../events/core/errors.js'
import { removeFileTask } from '../../../events/machine/commands.js'
import { DatabaseProtected, FilesDisallowed, OutsideData } from '../../../events/machine/errors.js'
import type { GatewayContext } from '../../context.js'
import { type DataEntry, findDataEntry, listDataDirectory, PathNotFound, refuseDisallowed } from '../../data-files.js'
import { type Endpoint, endpoint, Reply, SENT } from '../../framework/endpoint.js'
import { InvalidRange, PreconditionFailed } from '../../framework/errors.js'
import { taskEndpoint } from './task-endpoint.js'

const Listing = Type.Object({
  current: Type.String({ description: 'Relative to the data directory.' }),
  dirs: Type.Array(Type.String()),
  files: Type.Array(Type.String()),
})

async function serve(path: string, response: Response, context: GatewayContext) {
  const entry = await findDataEntry(context, path)
  if (entry.kind === 'file') {
    await sendInline(response, entry)
    return SENT
  }
  const listing = await listDataDirectory(context, entry.path)
  response.set('cache-control', 'public, max-age=5')
  return new Reply(200, listing)
}

/** As text whatever it is, so that no browser runs it. */
function sendInline(response: Response, { path, size, modified }: Extract<DataEntry, { kind: 'file' }>): Promise<void> {
  response.set({
    'content-type': 'text/plain; charset=utf-8',
    'content-disposition': `inline; filename=${headerName(basename(path))}`,
    'cache-control': 'no-cache',
    etag: `"${size.toString(16)}-${modified.getTime().toString(16)}"`,
    'x-content-type-options': 'nosniff',
  })
  return new Promise((resolve, reject) => {
    response.sendFile(path, { dotfiles: 'allow', cacheControl: false }, (error) => {
      // Who hung up wants no answer.
      if (error === undefined || response.destroyed) return resolve()
      for (const name of ['content-type', 'content-disposition', 'etag']) response.removeHeader(name)
      reject(error)
    })
  })
}

/** A plain name as it is, any other as RFC 6266 has it. */
const headerName = (name: string): string =>
  /^[\w.-]+$/.test(name)
    ? name
    : `"${name.replace(/[^\w. -]/g, '_')}"; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", '%27')}`

const browsing = {
  method: 'get',
  response: Listing,
  needs: 'nothing',
  admit: refuseDisallowed,
} as const

const getRoot = endpoint({
  ...browsing,
  path: '/unit_api/system/path/',
  summary: 'What is in the data directory, by name. Links count as what they lead to.',
  errors: [FilesDisallowed, PathNotFound, OutsideData],
  handle: ({ response }, context) => serve('.', response, context),
})

const getPath = endpoint({
  ...browsing,
  path: '/unit_api/system/path/*req_path',
  summary:
    'A directory of the data directory is listed; a file is its content, as plain text whatever it is, whole or by ranges. Nothing outside is reached.',
  params: Type.Object({ req_path: Type.String() }),
  errors: [FilesDisallowed, PathNotFound, OutsideData, DatabaseProtected, InvalidRange, PreconditionFailed],
  handle: ({ params, response }, context) => serve(params.req_path, response, context),
})

const removeFile = taskEndpoint({
  path: '/unit_api/system/remove_file',
  summary:
    'Deletes one file of the data directory; never a directory. The result is false when there is no such file. A link is followed.',
  body: Type.Object({ filepath: Type.String() }, { additionalProperties: false }),
  example: { filepath: 'plugins/old_plugin.py' },
  task: removeFileTask,
  errors: [FilesDisallowed],
  refusals: [OutsideData, DatabaseProtected, FilesDisallowed, InvalidInput],
  async admit(input, context) {
    await refuseDisallowed(input, context).catch((error: unknown) => {
      context.logger.error({ err: error }, 'a file was to be deleted, which is forbidden')
      throw error
    })
  },
  order: ({ body }) => body,
})

export const files: readonly Endpoint[] = [getRoot, getPath, removeFile]
