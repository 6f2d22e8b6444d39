import { UploadRecord, uploadEvent } from '../../events/nas/nas.js'
import type { PartAftermath } from '../aftermath/aftermath.js'
import { recordIn, retained } from '../aftermath/retained.js'

/** No upload goes on: each begins again when the services are back. */
export const uploadsQueued: PartAftermath = {
  filters: [uploadEvent.filter()],
  corrections: ({ world, death }) =>
    world.flatMap((value) => {
      const record = uploadEvent.levels(value.topic) === null ? null : recordIn(UploadRecord, value)
      if (record?.status !== 'uploading') return []
      return [retained(value.topic, { ...record, status: 'queued', timestamp: death.now } satisfies UploadRecord)]
    }),
}
