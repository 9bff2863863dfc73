// Runs the child of a `fork()`, as it is, as a worker of a stage with `protocol = "records"`:
//
//   run = ["node", "-r", "./esteira_fork.js", "child.js"]
//
// Each record is a 'message' to it; the next one comes when it has called process.send(reply),
// since its replies carry no id. (More at a time: more `workers`.) A reply with `error` rejects
// the record, and with `ok`, `errors`, `record` or `drop` it is a verdict as in ../PROTOCOL.md;
// any other reply accepts it. console.log goes to stderr. Needs esteira_worker.js beside it.
'use strict';

const { serve, accept, drop, replace, reject } = require('./esteira_worker');

function verdictOf(reply) {
  if (typeof reply !== 'object' || reply === null) return accept;
  if (reply.error) return reject(String(reply.error.message ?? reply.error));
  if (reply.ok === false) return reject(...(reply.errors ?? []));
  if (reply.drop) return drop;
  return reply.ok === true && 'record' in reply ? replace(reply.record) : accept;
}

let answered; // ends the wait of the record that the child has
let turn = Promise.resolve();

const inTurn = (record) => (turn = turn.then(() => new Promise((resolve) => {
  answered = resolve;
  process.emit('message', record);
})));

process.connected = true;
process.disconnect = () => {};
process.send = (reply, ...rest) => {
  if (!answered) throw new Error('process.send() without a record to reply to');
  answered(verdictOf(reply));
  answered = undefined;
  const done = rest.find((argument) => typeof argument === 'function');
  if (done) process.nextTick(done, null);
  return true;
};

// Not before the child listens: a record would be lost on it.
process.on('newListener', function begin(event) {
  if (event !== 'message') return;
  process.off('newListener', begin);
  setImmediate(() => serve(inTurn).then(() => {
    process.emit('disconnect');
    // A child of fork() is killed at the end: it may hold open what keeps it alive. Not at once,
    // or an exception behind its last reply would go unseen.
    setImmediate(() => process.exit(0));
  }));
});
