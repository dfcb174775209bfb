import { askInPieces, createClient } from './chat.ts'

const { TIDEGATE_URL = 'http://127.0.0.1:8000', MODEL = 'demo' } = process.env
const question = process.argv.slice(2).join(' ') || 'hello'

for await (const piece of askInPieces(createClient(TIDEGATE_URL), MODEL, question)) {
  process.stdout.write(piece)
}
process.stdout.write('\n')
