// SHA-256 of each user's password in Node, as it is usually written.
//
//     node hash.js IN OUT [worker]
//
// With `worker` a worker thread hashes, which gets a message for each line, awaited before the next one is read.

'use strict'
const { createHash } = require('crypto')
const fs = require('fs')
const readline = require('readline')
const { Worker, isMainThread, parentPort } = require('worker_threads')

const hashed = (user) => ({ ...user, password: createHash('sha256').update(user.password).digest('hex') })

function inWorker(worker, user) {
  return new Promise((answer) => {
    worker.once('message', answer)
    worker.postMessage(user)
  })
}

async function main(from, to, how) {
  const worker = how === 'worker' ? new Worker(__filename) : null
  const out = fs.createWriteStream(to)
  for await (const line of readline.createInterface({ input: fs.createReadStream(from), crlfDelay: Infinity })) {
    const user = JSON.parse(line)
    const answer = worker ? await inWorker(worker, user) : hashed(user)
    if (!out.write(JSON.stringify(answer) + '\n')) await new Promise((go) => out.once('drain', go))
  }
  out.end(() => worker?.terminate())
}

if (isMainThread) main(...process.argv.slice(2))
else parentPort.on('message', (user) => parentPort.postMessage(hashed(user)))
