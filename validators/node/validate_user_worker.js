#!/usr/bin/env node
// Validates users as a worker of a stage with `protocol = "records"`, by way of the helper. The
// rules are those of validate_user.js. This is all there is to write beside them.
'use strict';

const { serve, reject } = require('./esteira_worker');
const { readRecord, errorsOf } = require('./validate_user');

serve((record, text) => {
  const errors = errorsOf(readRecord(text));
  if (errors.length) return reject(...errors);
  return true;
});
