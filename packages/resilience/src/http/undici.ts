/// <reference path="./undici-files.d.ts" />
import type { buildConnector, Client, Pool } from 'undici'
import connect from 'undici/lib/core/connect.js'
import client from 'undici/lib/dispatcher/client.js'
import pool from 'undici/lib/dispatcher/pool.js'

// undici's entry point puts a dispatcher of its own under the process's plain `fetch`, which then behaves
// differently for everybody. The files behind it leave `fetch` alone.
export const createConnector: typeof buildConnector = connect
export const UndiciClient: typeof Client = client
export const UndiciPool: typeof Pool = pool
