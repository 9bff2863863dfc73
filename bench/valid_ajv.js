// Passes on the users that a JSON Schema allows, by ajv, as it is usually written.
//
//     node valid_ajv.js SCHEMA IN OUT

'use strict'
const fs = require('fs')
const readline = require('readline')
const Ajv = require('ajv/dist/2020')

async function main(schema, from, to) {
  const allowed = new Ajv().compile(JSON.parse(fs.readFileSync(schema, 'utf8')))
  const out = fs.createWriteStream(to)
  for await (const line of readline.createInterface({ input: fs.createReadStream(from), crlfDelay: Infinity })) {
    if (!allowed(JSON.parse(line))) throw new Error(`not allowed: ${line}`)
    if (!out.write(line + '\n')) await new Promise((go) => out.once('drain', go))
  }
  out.end()
}

main(...process.argv.slice(2))
