// Users into SQLite and out of it in Node, as it is usually written.
//
//     NODE_PATH=… node rows.js load|cluster|pages IN OUT
//
// `load` inserts a thousand to a transaction; `cluster` hands users to two forked workers in turn, which insert them,
// a thousand to a transaction, and acknowledge each; `pages` reads a hundred rows at a time behind the last key.

'use strict'
const cluster = require('cluster')
const fs = require('fs')
const readline = require('readline')
const Database = require('better-sqlite3')

const BATCH = 1000
const PAGE = 100
const SCHEMA = 'CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, age INTEGER, ' +
  'company TEXT, address TEXT, tags TEXT)'
const INSERT = 'INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)'

function open(path) {
  const db = new Database(path, { timeout: 60000 })
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = NORMAL')
  db.exec(SCHEMA)
  return db
}

function inserter(db) {
  const insert = db.prepare(INSERT)
  return db.transaction((users) => {
    for (const u of users) {
      insert.run(u.id, u.name, u.email, u.age, u.company, JSON.stringify(u.address), JSON.stringify(u.tags))
    }
  })
}

async function load(from, to) {
  const db = open(to)
  const insert = inserter(db)
  let waiting = []
  for await (const line of readline.createInterface({ input: fs.createReadStream(from), crlfDelay: Infinity })) {
    waiting.push(JSON.parse(line))
    if (waiting.length === BATCH) {
      insert(waiting)
      waiting = []
    }
  }
  insert(waiting)
  db.close()
}

async function primary(from, to) {
  open(to).close()
  const workers = [cluster.fork(), cluster.fork()]
  let sent = 0
  let open_ = 0
  let wake = null
  for (const worker of workers) {
    worker.on('message', (answers) => {
      open_ -= answers
      if (wake) wake()
    })
  }
  for await (const line of readline.createInterface({ input: fs.createReadStream(from), crlfDelay: Infinity })) {
    workers[sent++ % workers.length].send(JSON.parse(line))
    open_ += 1
    while (open_ > 10 * BATCH) await new Promise((go) => { wake = go })
  }
  workers.forEach((worker) => worker.send('end'))
  while (open_ > 0) await new Promise((go) => { wake = go })
  workers.forEach((worker) => worker.disconnect())
}

function worker(to) {
  const db = open(to)
  const insert = inserter(db)
  let waiting = []
  const put = () => {
    insert(waiting)
    process.send(waiting.length)
    waiting = []
  }
  process.on('message', (user) => {
    if (user === 'end') {
      put()
      return
    }
    waiting.push(user)
    if (waiting.length === BATCH) put()
  })
  process.on('disconnect', () => db.close())
}

async function pages(from, to) {
  const db = new Database(from, { readonly: true })
  const page = db.prepare('SELECT id, name, email, age FROM users WHERE id > ? ORDER BY id LIMIT ?')
  const out = fs.createWriteStream(to)
  let last = -1
  for (;;) {
    const rows = page.all(last, PAGE)
    if (rows.length === 0) break
    for (const row of rows) {
      if (!out.write(JSON.stringify(row) + '\n')) await new Promise((go) => out.once('drain', go))
    }
    last = rows[rows.length - 1].id
  }
  out.end()
}

const [how, from, to] = process.argv.slice(2)
if (how === 'load') load(from, to)
else if (how === 'pages') pages(from, to)
else if (cluster.isPrimary) primary(from, to)
else worker(to)
