/** What Ctrl-Z asks for is done before this process really stops, and again when it goes on (`fg`, SIGCONT).
 * @param halt leaves nothing on; must not reject. */
export function onTerminalStop(halt: () => Promise<void>, goOn: () => void): () => void {
  let stopping = false
  let continued = false
  const stop = async (): Promise<void> => {
    continued = false
    if (stopping) return
    stopping = true
    await halt()
    stopping = false
    // After an early `fg` the process must not be stopped again. Here it stops until it is continued.
    if (!continued) process.kill(process.pid, 'SIGSTOP')
    goOn()
  }
  const onStop = (): void => void stop()
  const onContinue = (): void => {
    continued = true
  }
  process.on('SIGTSTP', onStop)
  process.on('SIGCONT', onContinue)
  return () => {
    process.off('SIGTSTP', onStop)
    process.off('SIGCONT', onContinue)
  }
}
