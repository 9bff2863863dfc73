# Passes valid user records (NDJSON) through, byte for byte. jq 1.6 or later.
#
#   jq -nMRr -f validate_user.jq       a bad record's line reads ["DEBUG:","line N: …"]
#   validate_user                      the same, with plain `line N: …` on stderr
#
# -R hands over each line as a string: it is parsed for the verdict and emitted (-r) as it
# came, so jq's rounding of big integers harms nobody, and `try` holds a bad line back from
# stopping the rest. -n and `inputs`, because `input_line_number` is one short on a last line
# without LF. `debug`, because `stderr` writes no line end, and quotes strings in jq 1.6.
#
# Limits, all jq's own:
# - Bytes that are not UTF-8 arrive as U+FFFD, as do characters cut by its 64 KiB read buffer.
#   A line with U+FFFD in it is refused, lest it be passed on changed.
# - Its parser takes NaN and odd numbers (01, 1.) for JSON, and refuses lone surrogate escapes
#   and what is nested deeper than 256 levels (jq 1.6) or 10,000.

# jq reads 18.0 as 18. Escaped quotes are hidden first, so that what `split` leaves in even
# places is no string; numbers there with a fraction or an exponent become null, which is no
# integer either. (`scan` over the whole line takes seconds for one of 200 kB.)
def without_floats:
  [split("\\\\") | join("xx") | split("\\\"") | join("xx") | split("\"")
    | range(length) as $i | .[$i]
    | if $i % 2 == 0 and test("[0-9][.eE]") then
        gsub("-?[0-9]+(?:\\.[0-9]+(?:[eE][-+]?[0-9]+)?|[eE][-+]?[0-9]+)"; "null")
      else . end]
  | join("\"");

# All that is dear and rarely called for: only where a key that may be `id` or `age` (an escape
# in it may spell either) stands before such a number. Only these two are taken from that reading.
def parse:
  . as $line
  | fromjson
  | if type == "object" and
      ($line | test("(?:\"id|\"age|\\\\u00[^\"]*)\"[ \\t\\r]*:[ \\t\\r]*-?[0-9]+[.eE]"))
    then
      . + ($line | without_floats | fromjson
        | with_entries(select(.key == "id" or .key == "age")))
    else . end;

def integer: type == "number" and . == floor;

def email:
  type == "string" and test("\\A[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}\\z");

# The calendar as a pattern: only a leap year has a 29th of February.
def leap_year: "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)";
def month_and_day:
  "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
  + "|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
  + "|02-(?:0[1-9]|1[0-9]|2[0-8]))";
def hour_and_minute: "(?:[01][0-9]|2[0-3]):[0-5][0-9]";
def date_or_date_time:
  "\\A(?:[0-9]{4}-" + month_and_day + "|" + leap_year + "-02-29)"
  + "(?:T" + hour_and_minute + ":[0-5][0-9](?:\\.[0-9]+)?(?:Z|[+-]" + hour_and_minute + "))?\\z";

def unique_strings:
  type == "array" and all(.[]; type == "string") and (unique | length) == length;

def optional($field; ok; $complaint):
  if has($field) and (.[$field] | ok | not) then "/\($field) \($complaint)" else empty end;

def required($field; ok; $complaint):
  if has($field) then optional($field; ok; $complaint) else "/\($field) is missing" end;

def problems_of_user($date_or_date_time):
  required("id"; integer and . >= 1; "is not an integer from 1"),
  required("name"; type == "string" and . != ""; "is not a non-empty string"),
  required("email"; email; "is not an e-mail address"),
  optional("age"; integer and . >= 0 and . <= 150; "is not an integer from 0 to 150"),
  optional("active"; type == "boolean"; "is not a boolean"),
  optional("tags"; unique_strings; "is not an array of unique strings"),
  required("created_at"; type == "string" and test($date_or_date_time);
    "is not an ISO 8601 date or date-time");

def problems_of_line($date_or_date_time):
  if contains("\ufffd") then "not UTF-8, or holds U+FFFD"
  # jq would strip a byte order mark from any line.
  elif startswith("\ufeff") then "not a JSON object"
  else
    (try parse catch null)
    | if type == "object" then [problems_of_user($date_or_date_time)] | join("; ")
      else "not a JSON object" end
  end;

date_or_date_time as $date_or_date_time
| foreach inputs as $line (0; . + 1;
    . as $number
    | ($line | problems_of_line($date_or_date_time)) as $problems
    | if $problems == "" then $line
      else "line \($number): \($problems)" | debug | empty end)
