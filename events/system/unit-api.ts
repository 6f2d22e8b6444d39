/** Release of Pioreactor whose unit API, topics and tables are spoken here: leaders compare it with their own. */
export const UNIT_API_VERSION = '26.7.2'
