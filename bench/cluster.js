// Node's cluster as it is usually written: each record is sent to the next worker, and written when the reply is there.
// Unlike what is usually written, it keeps the order and has a window, so that it can be compared.
//
//     node cluster.js IN OUT WORKERS [WINDOW]
//
// WINDOW is how many records may be on the way to each worker; `none` is how it is usually written.

'use strict'
const cluster = require('cluster')
const fs = require('fs')
const readline = require('readline')

const WINDOW = process.argv[5] === 'none' ? Infinity : Number(process.argv[5] ?? 256)

async function main(from, to, count) {
  const open = new Map()
  const workers = Array.from({ length: count }, () => cluster.fork())
  for (const worker of workers) {
    worker.on('message', ({ id }) => { open.get(id)(); open.delete(id) })
    worker.on('exit', (code) => { if (code !== 0) process.exit(1) })
  }
  const out = fs.createWriteStream(to, { highWaterMark: 1 << 18 })
  const sent = [] // in the order of the input
  async function settle() {
    const { line, reply } = sent.shift()
    await reply
    if (!out.write(line + '\n')) await new Promise((go) => out.once('drain', go))
  }
  let id = 0
  for await (const line of readline.createInterface({ input: fs.createReadStream(from), crlfDelay: Infinity })) {
    const reply = new Promise((done) => open.set(id, done))
    workers[id % count].send({ id, record: JSON.parse(line) })
    sent.push({ line, reply })
    id += 1
    if (sent.length >= WINDOW * count) await settle()
  }
  while (sent.length > 0) await settle()
  out.end(() => workers.forEach((worker) => worker.disconnect()))
}

if (cluster.isMaster) main(process.argv[2], process.argv[3], Number(process.argv[4]))
else process.on('message', ({ id }) => process.send({ id, ok: true }))
