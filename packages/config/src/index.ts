export const name = 'config'
