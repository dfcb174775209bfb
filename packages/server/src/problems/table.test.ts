import { describe, expect, it } from 'vitest'
import { ServerError } from './errors.ts'
import { createRenderer, type ProblemForm } from './render.ts'
import { defineProblems, type Problem, SERVER_PROBLEMS } from './table.ts'

const teapot: Problem = {
  status: 418,
  title: 'Teapot',
  type: 'invalid_request_error',
  fault: 'client',
  remedy: 'Ask a coffee machine.',
}

describe('SERVER_PROBLEMS', () => {
  const render = createRenderer({ table: SERVER_PROBLEMS, production: true })
  const context = (form: ProblemForm) => ({ requestId: 'req_1', instance: '/v1/x', form })

  it.each(Object.entries<Problem>(SERVER_PROBLEMS))('renders %s in both forms', (code, problem) => {
    const error = new ServerError(code, 'The fact.', { param: 'field', facts: { secret: 'hush' } })

    const openai = render(error, context('openai'))
    const body = JSON.parse(openai.body)
    expect(Object.keys(body)).toEqual([
      'type',
      'title',
      'status',
      'detail',
      'instance',
      'code',
      'request_id',
      'error',
    ])
    expect(body).toMatchObject({
      type: `urn:tidegate:problem:${code}`,
      title: problem.title,
      status: problem.status,
      instance: '/v1/x',
      code,
      request_id: 'req_1',
    })
    expect(body.error).toEqual({ message: body.detail, type: problem.type, param: 'field', code })
    expect(body.detail).toContain(problem.remedy)
    expect(openai).toMatchObject({ status: problem.status, code, fault: problem.fault })
    expect(openai.headers.slice(0, 2)).toEqual(['content-type', 'application/json'])

    const anthropic = JSON.parse(render(error, context('anthropic')).body)
    expect(anthropic).toEqual({
      type: 'error',
      error: { type: expect.stringMatching(/^[a-z_]+$/), message: body.detail },
      request_id: 'req_1',
    })
    expect(openai.body + JSON.stringify(anthropic)).not.toContain('hush')
  })

  it.each(Object.entries<Problem>(SERVER_PROBLEMS))(
    'states title and remedy of %s as sentences',
    (_code, problem) => {
      expect(problem.remedy).toMatch(/^[A-Z].*\.$/)
      expect(problem.title).toMatch(/^[A-Z].*[a-z0-9]$/i)
    },
  )
})

describe('defineProblems', () => {
  it("joins an app's table with the kit's, and the app's entry holds", () => {
    const table = defineProblems({ teapot, not_found: { ...teapot, status: 404 } })
    expect(table.teapot).toBe(teapot)
    expect(table.not_found.title).toBe('Teapot')
    expect(table.invalid_json).toBe(SERVER_PROBLEMS.invalid_json)
  })

  it('refuses an entry that can not be shown', () => {
    expect(() => defineProblems({ teapot: { ...teapot, status: 200 } })).toThrow(
      '"teapot" has status 200',
    )
    expect(() => defineProblems({ teapot: { ...teapot, status: 600 } })).toThrow('600')
    expect(() => defineProblems({ teapot: { ...teapot, remedy: ' ' } })).toThrow(
      'title and a remedy',
    )
  })
})
