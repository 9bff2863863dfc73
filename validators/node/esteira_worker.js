// Makes a function a worker of a stage with `protocol = "records"`; copy it beside your program.
//
//   const { serve, replace, reject, drop } = require('./esteira_worker');
//   serve(async (record) => {
//     if (record.test) return drop;
//     if (!record.id) return reject({ path: '/id', code: 'missing', message: 'is missing' });
//   }).then(() => pool.end());
//
// undefined or true accepts the record as it is, to the byte; replace(value) puts another in its
// place. Verdicts may be thrown, too; any other exception is a bug and ends the worker. What is
// async runs for all records at hand at once: `in_flight` bounds them. The second argument is the
// record's text: JSON.parse rounds long numbers, and 1.0 is 1. console.log goes to stderr.
'use strict';

class Verdict { constructor(reply) { this.reply = reply; } }
const accept = new Verdict({ ok: true });
const drop = new Verdict({ drop: true });
const replace = (record) => new Verdict({ ok: true, record });
const reject = (...errors) =>
  new Verdict({ ok: false, errors: errors.length ? errors : ['rejected'] });

// The real stdout is for replies; all else that is printed must not land among them.
const write = process.stdout.write.bind(process.stdout);
process.stdout.on('error', () => process.exit(1)); // nobody reads on
process.stdout.write = process.stderr.write.bind(process.stderr);

async function answer(judge, line) {
  const { id, record } = JSON.parse(line);
  const text = line.slice(line.indexOf('"record":') + 9, line.lastIndexOf('}'));
  let verdict;
  try {
    verdict = judge(record, text);
    // Only what is async waits: others are answered before the next one, which may kill us.
    if (typeof verdict?.then === 'function') verdict = await verdict;
  } catch (thrown) {
    if (!((verdict = thrown) instanceof Verdict)) throw thrown;
  }
  if (verdict === undefined || verdict === true) verdict = accept;
  if (!(verdict instanceof Verdict)) throw new TypeError(`not a verdict: ${String(verdict)}`);
  write(`${JSON.stringify({ id, ...verdict.reply })}\n`);
}

async function serve(judge) {
  write('{"ready":true}\n');
  const open = new Set();
  let torn = []; // joined only at a line's end: a record may come in many chunks
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    torn.push(chunk);
    const lines = chunk.includes('\n') ? torn.join('').split('\n') : [];
    if (lines.length) torn = [lines.pop()];
    for (const line of lines) {
      const answered = answer(judge, line).finally(() => open.delete(answered));
      open.add(answered);
    }
  }
  await Promise.all(open);
  await new Promise((written) => write('', written)); // the caller may go on to process.exit
}

module.exports = { serve, accept, drop, replace, reject };
