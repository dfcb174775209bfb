export const name = 'server'
