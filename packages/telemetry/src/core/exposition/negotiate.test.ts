import { describe, expect, it } from 'vitest'
import { negotiate } from './negotiate.ts'

const prometheus3 =
  'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2'
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8'

describe('negotiate', () => {
  it.each([
    [undefined, 'prometheus'],
    ['', 'prometheus'],
    ['*/*', 'prometheus'],
    [browser, 'prometheus'],
    ['image/png', 'prometheus'],
    [prometheus3, 'openmetrics'],
    ['text/plain;version=0.0.4;q=1,*/*;q=0.1', 'prometheus'],
    ['application/openmetrics-text; version="1.0.0"', 'openmetrics'],
    ['application/openmetrics-text', 'openmetrics'],
    ['application/openmetrics-text;version=0.0.1, text/plain;q=0.5', 'prometheus'],
    ['application/json', 'json'],
    ['Application/JSON ; charset=utf-8', 'json'],
    ['application/json, text/plain, */*', 'json'],
    ['text/plain, application/json', 'prometheus'],
    ['application/json;q=0.9, */*', 'prometheus'],
    ['application/json;q=0.9, text/plain;q=0.8', 'json'],
    ['*/*, text/plain;q=0, application/openmetrics-text;q=0', 'json'],
    ['application/*', 'openmetrics'],
    ['application/json;q=0', 'prometheus'],
    ['application/json;q=2', 'prometheus'],
    ['application/json;q=x', 'prometheus'],
    [`${'a/b,'.repeat(100_000)}application/json`, 'prometheus'],
  ])('answers %.60j with %s', (accept, format) => {
    expect(negotiate(accept)).toBe(format)
  })
})
