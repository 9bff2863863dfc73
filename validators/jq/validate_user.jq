# Passes valid user records (NDJSON) through, byte for byte. jq 1.6 or later.
#
#   jq -nMRr -f validate_user.jq       a bad record's line reads ["DEBUG:","line N: …"]
#   validate_user                      the same, with plain `line N: …` on stderr
#   validate_user --records            answers the requests of a stage with `protocol = "records"`
#                                      (../PROTOCOL.md), each at once
#
# -R hands over each line as a string: it is parsed for the verdict and emitted (-r) as it
# came, so jq's rounding of big integers harms nobody, and `try` holds a bad line back from
# stopping the rest. -n and `inputs`, because `input_line_number` is one short on a last line
# without LF. `debug`, because `stderr` writes no line end, and quotes strings in jq 1.6.
#
# Limits, all jq's own:
# - Bytes that are not UTF-8 arrive as U+FFFD, as do characters cut by its 64 KiB read buffer.
#   A line with U+FFFD in it is refused, lest it be passed on changed. (Not with --records:
#   there esteira has checked the bytes, and writes its own.)
# - Its parser takes NaN and odd numbers (01, 1.) for JSON, and refuses what is nested deeper
#   than 256 levels (jq 1.6) or 10,000. Two halves of surrogate pairs are one tag.

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

# jq refuses half a surrogate pair: it is read as U+FFFD. Other escapes, and whole pairs, are kept.
def without_halves:
  if test("\\\\u[dD]") then
    gsub("(?<kept>\\\\(?:[^u]|u[dD][89abAB]..\\\\u[dD][c-fC-F]..))|\\\\u[dD][89a-fA-F]..";
      .kept // "\\ufffd")
  else . end;

# All that is dear and rarely called for: only where a key that may be `id` or `age` (an escape
# in it may spell either) stands before such a number. Only these two are taken from that reading.
def parse:
  without_halves
  | . as $line
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

def strings_only: type == "array" and all(.[]; type == "string");
def unique_ones: (unique | length) == length;

def error($path; $code; $message): {path: $path, code: $code, message: $message};

# `test` is asked only of what has the right type.
def optional($field; has_type; test; $code; $message):
  if has($field) | not then empty
  elif .[$field] | has_type | not then error("/\($field)"; "type"; $message)
  elif .[$field] | test | not then error("/\($field)"; $code; $message)
  else empty end;

def required($field; has_type; test; $code; $message):
  if has($field) then optional($field; has_type; test; $code; $message)
  else error("/\($field)"; "missing"; "is missing") end;

def string: type == "string";

def errors_of_user($date_or_date_time):
  if type != "object" then error(""; "type"; "not a JSON object") else
    required("id"; integer; . >= 1; "range"; "is not an integer from 1"),
    required("name"; string; . != ""; "empty"; "is not a non-empty string"),
    required("email"; string; email; "format"; "is not an e-mail address"),
    optional("age"; integer; . >= 0 and . <= 150; "range"; "is not an integer from 0 to 150"),
    optional("active"; type == "boolean"; true; ""; "is not a boolean"),
    optional("tags"; strings_only; unique_ones; "duplicate"; "is not an array of unique strings"),
    required("created_at"; string; test($date_or_date_time); "format";
      "is not an ISO 8601 date or date-time")
  end;

def problems_of_line($date_or_date_time):
  if contains("\ufffd") then "not UTF-8, or holds U+FFFD"
  # jq would strip a byte order mark from any line.
  elif startswith("\ufeff") then "not a JSON object"
  else
    (try parse catch null)
    | [errors_of_user($date_or_date_time) | "\(.path) \(.message)" | ltrimstr(" ")] | join("; ")
  end;

# A request is {"id":17,"record":…}. The id is handed back as text, for jq rounds long numbers.
def reply_to_request($date_or_date_time):
  (.[:64] | capture("^\\{\"id\":(?<id>[0-9]+),\"record\":").id) as $id
  | (.[($id | length) + 16:] | sub("\\}[ \\t\\r]*$"; "")) as $record
  | [$record | try parse catch null | errors_of_user($date_or_date_time)] as $errors
  | if $errors == [] then "{\"id\":\($id),\"ok\":true}"
    else "{\"id\":\($id),\"ok\":false,\"errors\":\($errors | tojson)}" end;

date_or_date_time as $date_or_date_time
| if $ARGS.named.records then inputs | reply_to_request($date_or_date_time)
  else
    foreach inputs as $line (0; . + 1;
      . as $number
      | ($line | problems_of_line($date_or_date_time)) as $problems
      | if $problems == "" then $line
        else "line \($number): \($problems)" | debug | empty end)
  end
