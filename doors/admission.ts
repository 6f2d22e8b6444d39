import type { Attempts } from './attempts.js'
import type { IsOwnHost } from './hosts.js'

/** Who is let in; the same at every door. */
export interface Admission {
  readonly isOwnHost: IsOwnHost
  readonly attempts: Attempts
}
