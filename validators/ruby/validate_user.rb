#!/usr/bin/env ruby
# frozen_string_literal: true

# Passes valid user records (NDJSON on stdin) to stdout, byte for byte. Each bad record gets one
# stderr line instead: `line N: /json/pointer message`, several problems joined by `; `. Bad data
# is not a failure: the exit code is 0, or 1 when whoever reads the output has gone away.
#
# With `--records` it answers the requests of a stage with `protocol = "records"`
# (../PROTOCOL.md), each at once. No gems; Ruby 2.7 or later (`ruby --disable-gems` starts faster).

require 'json'

EMAIL = /\A[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\z/.freeze

# The calendar as a pattern: only a leap year has a 29th of February.
LEAP_YEAR = /[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00/.freeze
MONTH_AND_DAY = /
  (?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])
  |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)
  |02-(?:0[1-9]|1[0-9]|2[0-8])
/x.freeze
HOUR_AND_MINUTE = /(?:[01][0-9]|2[0-3]):[0-5][0-9]/.freeze
CREATED_AT = /
  \A(?:[0-9]{4}-(?:#{MONTH_AND_DAY})|(?:#{LEAP_YEAR})-02-29)
  (?:T#{HOUR_AND_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-]#{HOUR_AND_MINUTE}))?\z
/x.freeze

STRINGS = ->(value) { value.is_a?(Array) && value.all?(String) }

# [field, required, has the right type, test when it has, error code then, what to say]
RULES = [
  ['id', true, Integer, ->(id) { id >= 1 }, 'range', 'is not an integer from 1'],
  ['name', true, String, ->(name) { name != '' }, 'empty', 'is not a non-empty string'],
  ['email', true, String, ->(email) { EMAIL.match?(email) }, 'format', 'is not an e-mail address'],
  ['age', false, Integer, ->(age) { age.between?(0, 150) }, 'range',
   'is not an integer from 0 to 150'],
  ['active', false, ->(value) { [true, false].include?(value) }, ->(_) { true }, '',
   'is not a boolean'],
  ['tags', false, STRINGS, ->(tags) { tags.uniq.size == tags.size }, 'duplicate',
   'is not an array of unique strings'],
  ['created_at', true, String, ->(date) { CREATED_AT.match?(date) }, 'format',
   'is not an ISO 8601 date or date-time']
].freeze

# What the parser lets pass and JSON does not have: comments, other escapes, control characters.
WELL_SPELLED = %r{\A(?>[^"/]+|"(?>[^"\\\x00-\x1f]+|\\(?:["\\/bfnrt]|u\h{4}))*")*\z}.freeze

# An escape that is no half of a surrogate pair, or the whole pair; and a half by itself.
SURROGATES = /(\\(?:[^u]|u(?i:d[89ab]..\\ud[c-f]..)))|\\u((?i:d[89a-f]..))/.freeze

# Reads one JSON text; raises where it is none. The parser refuses half a surrogate pair, so that
# is read as a character of private use.
def read_json(text)
  raise JSON::ParserError, 'no JSON' unless WELL_SPELLED.match?(text)

  if text.match?(/\\u[dD]/)
    text = text.gsub(SURROGATES) { $1 || [0x102000 + $2.hex].pack('U') }
  end
  JSON.parse(text, max_nesting: 512)
end

def errors_of(user)
  return [{ path: '', code: 'type', message: 'not a JSON object' }] unless user.is_a?(Hash)

  RULES.filter_map do |field, required, type, test, code, message|
    if !user.key?(field)
      { path: "/#{field}", code: 'missing', message: 'is missing' } if required
    elsif !(type === user[field])
      { path: "/#{field}", code: 'type', message: message }
    elsif !test.call(user[field])
      { path: "/#{field}", code: code, message: message }
    end
  end
end

# What is wrong with one line, a list of messages; empty when it is a valid user.
def problems_of(line)
  text = line.dup.force_encoding(Encoding::UTF_8)
  return ['not UTF-8'] unless text.valid_encoding?

  errors_of(read_json(text)).map { |error| "#{error[:path]} #{error[:message]}".lstrip }
rescue JSON::ParserError
  ['not a JSON object']
end

def validate
  $stdin.each_line("\n").with_index(1) do |line, number|
    # `chomp` would take a CR, too.
    line = line.delete_suffix("\n")
    problems = problems_of(line)
    if problems.empty?
      $stdout.write(line, "\n")
    else
      $stderr.write("line #{number}: #{problems.join('; ')}\n")
    end
  end
  $stdout.flush
end

def answer
  $stdout.sync = true
  $stdin.each_line("\n") do |line|
    request = read_json(line.force_encoding(Encoding::UTF_8))
    errors = errors_of(request['record'])
    reply = { id: request['id'], ok: errors.empty? }
    reply[:errors] = errors unless errors.empty?
    $stdout.write(JSON.generate(reply), "\n")
  end
end

$stdin.binmode
$stdout.binmode
begin
  ARGV[0] == '--records' ? answer : validate
rescue Errno::EPIPE
  # Nobody reads on. What is still buffered must not raise again.
  exit!(1)
end
