/** A child for the supervisor's tests: beats, then does what its argument says. */
const [behaviour] = process.argv.slice(2)
process.send?.('heartbeat')
const beat = setInterval(() => process.send?.('heartbeat'), 20)
process.on('message', (message) => {
  if (message === 'stop' && behaviour !== 'stubborn') process.exit(0)
})
if (behaviour === 'crash') process.exit(3)
if (behaviour === 'hang') {
  clearInterval(beat)
  setInterval(() => undefined, 1000)
}
