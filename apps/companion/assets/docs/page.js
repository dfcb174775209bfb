/** Shows openapi.json and lets each operation be tried, with nothing but what this server serves. */

const BASE = new URL('.', location.href)
const KEY = document.querySelector('#key')

function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties)
  element.append(...children)
  return element
}

/** A schema with its references followed, as far as a reader wants to see it. */
function resolve(schema, root, depth = 0) {
  const name = schema?.$ref?.split('/').at(-1)
  if (name !== undefined) return resolve(root.components.schemas[name], root, depth)
  if (typeof schema !== 'object' || schema === null || depth > 6) return schema
  if (Array.isArray(schema)) return schema.map((each) => resolve(each, root, depth + 1))
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, resolve(value, root, depth + 1)]),
  )
}

function example(schema) {
  if (schema === undefined) return null
  if (schema.example !== undefined) return schema.example
  if (schema.default !== undefined) return schema.default
  if (schema.enum !== undefined) return schema.enum[0]
  const choice = (schema.oneOf ?? schema.anyOf)?.[0]
  if (choice !== undefined) return example(choice)
  const type = [schema.type].flat()[0]
  if (type === 'array') return []
  if (type === 'integer' || type === 'number') return schema.minimum ?? 0
  if (type === 'boolean') return false
  if (type !== 'object') return ''
  const wanted = schema.required ?? []
  return Object.fromEntries(wanted.map((key) => [key, example(schema.properties?.[key])]))
}

function fieldOf({ name, in: where, required, schema, description }) {
  const input = make('input', { name: `${where}:${name}`, required: required === true })
  if (schema?.default !== undefined) input.placeholder = String(schema.default)
  const says = [where, description].filter(Boolean).join(' — ')
  return make('label', {}, make('code', { textContent: name }), ` ${says}`, input)
}

async function send(method, path, form) {
  const values = [...new FormData(form)].filter(([, value]) => value !== '')
  const of = (where) =>
    values
      .filter(([name]) => name.startsWith(`${where}:`))
      .map(([name, value]) => [name.slice(where.length + 1), value])
  let target = path.slice(1)
  for (const [name, value] of of('path')) {
    target = target.replace(`{${name}}`, encodeURIComponent(value))
  }
  const url = new URL(target, BASE)
  for (const [name, value] of of('query')) url.searchParams.set(name, value)
  const headers = new Headers(of('header'))
  if (KEY.value !== '') headers.set('authorization', `Bearer ${KEY.value}`)
  const body = values.find(([name]) => name === 'body')?.[1]
  if (body !== undefined) headers.set('content-type', 'application/json')
  const response = await fetch(url, { method: method.toUpperCase(), headers, body })
  const text = await response.text()
  const told = ['etag', 'retry-after', 'x-request-id'].flatMap((name) =>
    response.headers.has(name) ? [`${name}: ${response.headers.get(name)}`] : [],
  )
  return [`${response.status} ${response.statusText}`, ...told, '', pretty(text)].join('\n')
}

function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2)
  } catch {
    return text
  }
}

function formOf(method, path, operation, root) {
  const form = make('form')
  for (const parameter of operation.parameters ?? []) form.append(fieldOf(parameter))
  const schema = operation.requestBody?.content['application/json']?.schema
  if (schema !== undefined) {
    const value = JSON.stringify(example(resolve(schema, root)), null, 2)
    form.append(
      make('label', {}, 'Body', make('textarea', { name: 'body', value, spellcheck: false })),
    )
  }
  const output = make('pre', { hidden: true })
  form.append(make('button', { textContent: 'Send' }), output)
  form.addEventListener('submit', async (event) => {
    event.preventDefault()
    output.hidden = false
    output.textContent = '…'
    output.textContent = await send(method, path, form).catch((error) => String(error))
  })
  return form
}

function show(method, path, operation, root) {
  const answers = Object.entries(operation.responses).map(([status, { description }]) =>
    make('li', {}, make('code', { textContent: status }), ` ${description}`),
  )
  const scope = operation['x-required-scope']
  return make(
    'details',
    { id: operation.operationId },
    make(
      'summary',
      {},
      make('code', { textContent: `${method.toUpperCase()} ${path}` }),
      ` ${operation.summary}`,
    ),
    make('p', { textContent: operation.description ?? '' }),
    make('p', { textContent: scope ? `Needs the scope ${scope}.` : 'Needs no key.' }),
    formOf(method, path, operation, root),
    make('ul', {}, ...answers),
  )
}

const root = await (await fetch(new URL('openapi.json', BASE))).json()
document.querySelector('#about').textContent =
  `${root.info.description} Version ${root.info.version}.`
const all = Object.entries(root.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ method, path, operation })),
)
const place = document.querySelector('#operations')
for (const { name, description } of root.tags) {
  const those = all.filter(({ operation }) => operation.tags.includes(name))
  if (those.length === 0) continue
  place.append(make('h2', { textContent: name }), make('p', { textContent: description }))
  for (const { method, path, operation } of those) place.append(show(method, path, operation, root))
}
