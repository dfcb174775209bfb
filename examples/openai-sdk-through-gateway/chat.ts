import OpenAI from 'openai'

/** An ordinary client of the SDK: the address is all that the gateway changes. */
export function createClient(gatewayUrl: string): OpenAI {
  return new OpenAI({
    baseURL: `${gatewayUrl}/v1`,
    // The gateway holds the provider's key. Where its routes ask for one, this is the client's own.
    apiKey: 'not-needed',
  })
}

/** Asks once and answers with the whole text. */
export async function ask(client: OpenAI, model: string, question: string): Promise<string> {
  const completion = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: question }],
  })
  return completion.choices[0]?.message.content ?? ''
}

/** Asks and hands on each piece of the answer as it comes. */
export async function* askInPieces(
  client: OpenAI,
  model: string,
  question: string,
): AsyncGenerator<string> {
  const stream = await client.chat.completions.create({
    model,
    messages: [{ role: 'user', content: question }],
    stream: true,
  })
  for await (const chunk of stream) {
    const piece = chunk.choices[0]?.delta.content
    if (piece) yield piece
  }
}
