export const name = 'logger'
