import type { SafeContext } from '../../../services/runtime/safe-state.js'
import { COMMANDS } from './sics.codec.js'

/** A balance heats and moves nothing. What it was told to do it breaks off, as a pump here would stop: steps `balances`, and `balance <path>`. */
export const cancelAll = ({ ports, step }: SafeContext): Promise<void> =>
  step('balances', async () => {
    const present = await ports.list()
    await Promise.all(
      present.map(({ path }) =>
        step(`balance ${path}`, async () => {
          const connection = await ports.open(path)
          try {
            const answered = new Promise<void>((resolve) => connection.onData(() => resolve()))
            await connection.write(Buffer.from(`${COMMANDS.cancel}\r\n`))
            await answered
          } finally {
            await connection.close()
          }
        }),
      ),
    )
  })
