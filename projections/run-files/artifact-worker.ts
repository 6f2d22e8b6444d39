import { parentPort } from 'node:worker_threads'
import { type ArtifactRequest, makeArtifact } from './artifact.js'

/** Thread that draws plots, one at a time. */
export type ArtifactReply = { readonly bytes: number } | { readonly reason: string }

parentPort?.on('message', (request: ArtifactRequest) => {
  makeArtifact(request).then(
    (bytes) => parentPort?.postMessage({ bytes } satisfies ArtifactReply),
    (error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      parentPort?.postMessage({ reason } satisfies ArtifactReply)
    },
  )
})
