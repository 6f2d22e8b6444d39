import { extname } from 'node:path'
import { Type } from '@sinclair/typebox'
import type { Response } from 'express'
import { ValidationError } from '../../conventions/box/lax-body.js'
import { type Endpoint, endpoint, SENT } from '../../framework/endpoint.js'
import { InvalidRange, PreconditionFailed } from '../../framework/errors.js'
import { zipFiles } from '../../framework/zip-files.js'
import {
  FileNotFound,
  fileNotFound,
  filePaths,
  findRun,
  type RunFile,
  RunNotFound,
  runFile,
  runFiles,
} from './run-files.js'

const RunId = Type.Object({ run_id: Type.String() })
const Bytes = Type.String({ contentEncoding: 'binary' })

const listRunFiles = endpoint({
  method: 'get',
  path: '/runs/:run_id/files',
  summary:
    'The finished files of a run, relative to its directory; `entries` adds size in bytes and time of the last change.',
  params: RunId,
  response: Type.Object({
    files: Type.Array(Type.String()),
    entries: Type.Array(Type.Object({ path: Type.String(), size: Type.Integer(), mtime: Type.String() })),
  }),
  needs: 'run files',
  errors: [RunNotFound],
  async handle({ params }, context) {
    const found = await runFiles(context, await findRun(context, params.run_id))
    return {
      files: found.map(({ path }) => path),
      entries: found.map(({ path, size, modified }) => ({ path, size, mtime: modified.toISOString() })),
    }
  },
})

const downloadRunFile = endpoint({
  method: 'get',
  path: '/runs/:run_id/file',
  summary: 'One file of a run, whole or by ranges.',
  params: RunId,
  query: Type.Object({ path: Type.String() }),
  response: Bytes,
  produces: 'application/octet-stream',
  needs: 'run files',
  errors: [RunNotFound, FileNotFound, ValidationError, InvalidRange, PreconditionFailed],
  async handle({ params, query, response }, context) {
    await sendFile(response, await runFile(context, await findRun(context, params.run_id), query.path))
    return SENT
  },
})

/** Type from the name's ending; run ids and file names are plain ASCII. */
function attach(response: Response, name: string): void {
  response.type(extname(name))
  response.set('content-disposition', `attachment; filename="${name.replace(/[^\w.-]/g, '_')}"`)
}

/** Answers conditional and range requests. A finished file never changes, so size and time name its content. */
function sendFile(response: Response, { location, path, size, modified }: RunFile): Promise<void> {
  attach(response, path.slice(path.lastIndexOf('/') + 1))
  response.set('etag', `"${size.toString(16)}-${modified.getTime().toString(16)}"`)
  response.set('x-content-type-options', 'nosniff')
  return new Promise((resolve, reject) => {
    response.sendFile(location, { dotfiles: 'allow', cacheControl: false }, (error) => {
      // Who hung up wants no answer.
      if (error === undefined || response.destroyed) return resolve()
      for (const name of ['content-disposition', 'etag']) response.removeHeader(name)
      reject('status' in error && error.status === 404 ? fileNotFound() : error)
    })
  })
}

const downloadRunZip = endpoint({
  method: 'get',
  path: '/runs/:run_id/zip',
  summary: 'All finished files of this run as a zip archive, with the paths of `files`.',
  params: RunId,
  response: Bytes,
  produces: 'application/zip',
  needs: 'run files',
  errors: [RunNotFound],
  async handle({ params, request, response }, context) {
    const run = await findRun(context, params.run_id)
    const files = await runFiles(context, run)
    if (files.length < filePaths(run).length) {
      context.logger.warn({ run: run.run_id }, 'files of the run are missing on disk')
    }
    attach(response, `${run.run_id}.zip`)
    if (request.method === 'HEAD') {
      response.end()
      return SENT
    }
    await zipFiles(files, response).catch((error: unknown) => {
      response.destroy()
      context.logger.info({ run: run.run_id, err: error }, 'zip download ended early')
    })
    return SENT
  },
})

export const runFileDownloads: readonly Endpoint[] = [listRunFiles, downloadRunFile, downloadRunZip]
