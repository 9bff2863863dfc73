// A file through a child and into another file in Node, as tutorials show it.
//
//     node spawn.js IN OUT HOW PROGRAM [ARGUMENT…]
//
// HOW: `lines` writes each line as readline tells it, `drain` waits when the child's pipe is full, `pipe` has streams
// piped and never looks at lines.

'use strict'
const { spawn } = require('child_process')
const fs = require('fs')
const readline = require('readline')

const [from, to, how, program, ...rest] = process.argv.slice(2)
const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
child.on('close', (code) => { process.exitCode = code })
child.stdout.pipe(fs.createWriteStream(to))

const input = fs.createReadStream(from)
const lines = () => readline.createInterface({ input, crlfDelay: Infinity })

async function waiting() {
  for await (const line of lines()) {
    if (!child.stdin.write(line + '\n')) await new Promise((go) => child.stdin.once('drain', go))
  }
  child.stdin.end()
}

if (how === 'pipe') input.pipe(child.stdin)
else if (how === 'drain') waiting()
else lines().on('line', (line) => child.stdin.write(line + '\n')).on('close', () => child.stdin.end())
