import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from 'jose'

type Algorithm = 'RS256' | 'ES256' | 'EdDSA'

type Key = Awaited<ReturnType<typeof generateKeyPair>>['privateKey']

interface Signer {
  readonly kid: string
  readonly alg: Algorithm
  readonly privateKey: Key
  readonly jwk: object
  /** The public key as text, which HS256 must not take for a secret. */
  readonly pem: string
}

/** How a path is answered instead of well. */
type Trouble = 'reset' | 'silent' | 'error' | 'huge' | 'redirect' | 'garbage'

/** What the issuer is asked about a token. */
interface Question {
  readonly token: string | null
  readonly hint: string | null
  readonly authorization: string | undefined
}

/** An authorization server on a real socket: discovery, keys, introspection. */
export interface Issuer {
  readonly url: string
  /** Requests for the keys so far. */
  readonly keyHits: number
  readonly questions: readonly Question[]
  /** The key that signs, and with it the ones that are listed. */
  readonly signer: Signer
  /** Where redirects lead. */
  redirectTo: string
  /** Makes a new key sign. The old one is listed on, or not. */
  rotate(options?: { readonly alg?: Algorithm; readonly withdraw?: boolean }): Promise<Signer>
  /** Everything but what is named as it was signed well. */
  trouble(kind: Trouble | undefined): void
  /** What the answer about this token is; anything else is inactive. */
  answer(token: string, claims: object): void
  sign(claims?: JWTPayload, header?: object, by?: Signer): Promise<string>
  [Symbol.asyncDispose](): Promise<void>
}

export const audience = 'https://gateway.example.com'

async function createSigner(alg: Algorithm, kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }
  return { kid, alg, privateKey, jwk, pem: await exportSPKI(publicKey) }
}

interface State {
  url: string
  signer: Signer
  listed: Signer[]
  trouble: Trouble | undefined
  keyHits: number
  redirectTo: string
  readonly questions: Question[]
  readonly answers: Map<string, object>
}

async function serve(
  state: State,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.url === '/keys') state.keyHits += 1
  if (state.trouble !== undefined) return cause(state.trouble, state, response)
  if (request.url === '/.well-known/openid-configuration') {
    return send(response, { issuer: state.url, jwks_uri: `${state.url}/keys` })
  }
  if (request.url === '/keys') return send(response, { keys: state.listed.map(({ jwk }) => jwk) })
  const form = new URLSearchParams(await textOf(request))
  const token = form.get('token')
  const { authorization } = request.headers
  state.questions.push({ token, hint: form.get('token_type_hint'), authorization })
  send(response, state.answers.get(token ?? '') ?? { active: false })
}

function cause(kind: Trouble, { listed, redirectTo }: State, response: ServerResponse): void {
  if (kind === 'reset') response.socket?.resetAndDestroy()
  if (kind === 'error') response.writeHead(500).end('{"keys":[]}')
  if (kind === 'garbage') response.writeHead(200).end('<html>')
  if (kind === 'redirect') response.writeHead(302, { location: redirectTo }).end()
  if (kind === 'huge') {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ keys: listed.map(({ jwk }) => jwk), x: 'x'.repeat(2e6) }))
  }
}

export async function startIssuer(alg: Algorithm = 'ES256'): Promise<Issuer> {
  let made = 0
  const nextSigner = (by: Algorithm) => createSigner(by, `key-${++made}`)
  const signer = await nextSigner(alg)
  const state: State = {
    ...{ url: '', signer, listed: [signer], trouble: undefined, keyHits: 0 },
    ...{ redirectTo: 'http://127.0.0.1:1/', questions: [], answers: new Map() },
  }
  const server = createServer((request, response) => {
    void serve(state, request, response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  state.url = url

  return {
    url,
    get keyHits() {
      return state.keyHits
    },
    get questions() {
      return state.questions
    },
    get signer() {
      return state.signer
    },
    set redirectTo(to: string) {
      state.redirectTo = to
    },
    async rotate({ alg: by = alg, withdraw = false } = {}) {
      state.signer = await nextSigner(by)
      state.listed = withdraw ? [state.signer] : [...state.listed, state.signer]
      return state.signer
    },
    trouble(kind) {
      state.trouble = kind
    },
    answer(token, claims) {
      state.answers.set(token, { active: true, ...claims })
    },
    sign(claims = {}, header = {}, by = state.signer) {
      const now = Math.floor(Date.now() / 1000)
      const payload = { iss: url, aud: audience, sub: 'ada', iat: now, exp: now + 300, ...claims }
      return new SignJWT(payload)
        .setProtectedHeader({ alg: by.alg, kid: by.kid, ...header })
        .sign(by.privateKey)
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function send(response: ServerResponse, document: object): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document))
}

async function textOf(request: IncomingMessage): Promise<string> {
  let text = ''
  for await (const chunk of request.setEncoding('utf8')) text += chunk
  return text
}
