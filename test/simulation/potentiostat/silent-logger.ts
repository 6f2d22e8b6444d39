import type { Logger } from '../../../events/ports.js'

const nothing = (): void => undefined

/** For parts that must be given a logger. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
}
