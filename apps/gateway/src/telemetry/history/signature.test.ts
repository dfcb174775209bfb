import { Secret } from '@tidegate/config'
import { describe, expect, it } from 'vitest'
import { webhookHeaders } from './signature.ts'

describe('webhookHeaders', () => {
  it('signs as Standard Webhooks does in its own example', () => {
    const secret = new Secret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')
    const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek'
    const body = '{"test": 2432232314}'
    expect(webhookHeaders(secret, { id, timestamp: 1614265330, body })).toEqual({
      'webhook-id': id,
      'webhook-timestamp': '1614265330',
      'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
    })
  })
})
