/** How a response's body came to its end. */
export interface BodyEnd {
  /** The reader left before the end. */
  readonly gone: boolean
  /** What broke the body, if that is how it ended. */
  readonly error?: unknown
}

/**
 * Returns the same response with a body that tells once how it ended. Nothing is read ahead: each
 * chunk is asked for when the reader asks.
 */
export function onBodyEnd(response: Response, ended: (end: BodyEnd) => void): Response {
  const { body } = response
  if (body === null) return response
  const reader = body.getReader()
  const watched = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read()
          if (!done) {
            controller.enqueue(value)
            return
          }
          controller.close()
          ended({ gone: false })
        } catch (error) {
          controller.error(error)
          ended({ gone: false, error })
        }
      },
      async cancel(reason) {
        ended({ gone: true })
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(watched, response)
}
