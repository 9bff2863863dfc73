#!/usr/bin/env node
// Passes valid user records (NDJSON on stdin) to stdout, byte for byte. Each bad record gets one
// stderr line instead: `line N: /json/pointer message`, several problems joined by `; `. Bad data
// is not a failure: the exit code is 0, or 1 when whoever reads the output has gone away.
//
// With `--records` it answers the requests of a stage with `protocol = "records"`
// (../PROTOCOL.md), each at once. No dependencies; Node 16 or later.
'use strict';

const EMAIL = /^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$/;

// The calendar as a pattern: only a leap year has a 29th of February.
const LEAP_YEAR = '(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
const MONTH_AND_DAY =
  '(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])' +
  '|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)' +
  '|02-(?:0[1-9]|1[0-9]|2[0-8]))';
const HOUR_AND_MINUTE = '(?:[01][0-9]|2[0-3]):[0-5][0-9]';
const CREATED_AT = new RegExp(
  `^(?:[0-9]{4}-${MONTH_AND_DAY}|${LEAP_YEAR}-02-29)` +
  `(?:T${HOUR_AND_MINUTE}:[0-5][0-9](?:\\.[0-9]+)?(?:Z|[+-]${HOUR_AND_MINUTE}))?$`);

const isString = (value) => typeof value === 'string';
// Floats have become null, see `readRecord`; a very long integer has become Infinity.
const isInteger = (value) => typeof value === 'number';
const isStrings = (value) => Array.isArray(value) && value.every(isString);

// [field, required, has the right type, test when it has, error code then, what to say]
const RULES = [
  ['id', true, isInteger, (id) => id >= 1, 'range', 'is not an integer from 1'],
  ['name', true, isString, (name) => name !== '', 'empty', 'is not a non-empty string'],
  ['email', true, isString, (email) => EMAIL.test(email), 'format', 'is not an e-mail address'],
  ['age', false, isInteger, (age) => age >= 0 && age <= 150, 'range',
    'is not an integer from 0 to 150'],
  ['active', false, (value) => typeof value === 'boolean', () => true, '', 'is not a boolean'],
  ['tags', false, isStrings, (tags) => new Set(tags).size === tags.length, 'duplicate',
    'is not an array of unique strings'],
  ['created_at', true, isString, (date) => CREATED_AT.test(date), 'format',
    'is not an ISO 8601 date or date-time'],
];

// A field with a number that has a fraction or an exponent.
const FLOAT_FIELD = /:[ \t\r\n]*-?[0-9]+[.eE]/;
const STRING_OR_NUMBER = /"[^"]*"|-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?/g;

// 18.0 is no integer, and JSON.parse would read it as 18: floats are made null, which is none
// either. Throws where the text is no JSON.
function readRecord(text) {
  const record = JSON.parse(text);
  if (!FLOAT_FIELD.test(text)) return record;
  // Escapes are hidden at their length, so that a string ends at the next quote.
  const hidden = text.replace(/\\./g, 'xx');
  let read = '';
  let end = 0;
  for (const { 0: token, index } of hidden.matchAll(STRING_OR_NUMBER)) {
    if (token[0] === '"' || !/[.eE]/.test(token)) continue;
    read += `${text.slice(end, index)}null`;
    end = index + token.length;
  }
  return JSON.parse(read + text.slice(end));
}

function errorsOf(user) {
  if (typeof user !== 'object' || user === null || Array.isArray(user))
    return [{ path: '', code: 'type', message: 'not a JSON object' }];
  const errors = [];
  for (const [field, required, hasType, test, code, message] of RULES) {
    const path = `/${field}`;
    if (!Object.prototype.hasOwnProperty.call(user, field)) {
      if (required) errors.push({ path, code: 'missing', message: 'is missing' });
    } else if (!hasType(user[field])) errors.push({ path, code: 'type', message });
    else if (!test(user[field])) errors.push({ path, code, message });
  }
  return errors;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// What is wrong with one line, a list of messages; empty when it is a valid user.
function problemsOf(line) {
  let text;
  try { text = decoder.decode(line); } catch { return ['not UTF-8']; }
  let user;
  try { user = readRecord(text); } catch { return ['not a JSON object']; }
  return errorsOf(user).map(({ path, message }) => `${path} ${message}`.trimStart());
}

const LF = Buffer.from('\n');

// Calls `each` with the lines on stdin, without their LF, and `done` behind each chunk. (Not
// readline: it also splits at a CR, which is white space in JSON, and hides bad UTF-8.)
async function eachLine(each, done) {
  let torn = [];
  for await (const chunk of process.stdin) {
    let from = 0;
    for (let to; (to = chunk.indexOf(LF, from)) >= 0; from = to + 1) {
      const rest = chunk.subarray(from, to);
      each(torn.length ? Buffer.concat([...torn, rest]) : rest);
      torn = [];
    }
    if (from < chunk.length) torn.push(chunk.subarray(from));
    await done();
  }
  if (torn.length) each(Buffer.concat(torn));
  await done();
}

async function validate() {
  let number = 0;
  let good = [];
  let complaints = '';
  await eachLine((line) => {
    number += 1;
    const problems = problemsOf(line);
    if (problems.length) complaints += `line ${number}: ${problems.join('; ')}\n`;
    else good.push(line, LF);
  }, async () => {
    if (complaints) process.stderr.write(complaints);
    const output = Buffer.concat(good);
    good = [];
    complaints = '';
    // Reads no further before this is written: the output may be slower than we are.
    if (output.length) await new Promise((written) => process.stdout.write(output, written));
  });
}

async function answer() {
  await eachLine((line) => {
    const request = line.toString();
    const { id } = JSON.parse(request);
    // The record's own text; what stands around it is always the same.
    const record = request.slice(request.indexOf('"record":') + 9, request.lastIndexOf('}'));
    const errors = errorsOf(readRecord(record));
    const reply = errors.length ? { id, ok: false, errors } : { id, ok: true };
    process.stdout.write(`${JSON.stringify(reply)}\n`);
  }, () => {});
}

module.exports = { readRecord, errorsOf };

if (require.main === module) {
  // Nobody reads on.
  process.stdout.on('error', () => process.exit(1));
  if (process.argv[2] === '--records') answer();
  else validate();
}
