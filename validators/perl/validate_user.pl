#!/usr/bin/env perl
# Passes valid user records (NDJSON on stdin) to stdout, byte for byte. Each bad record gets one
# stderr line instead: `line N: /json/pointer message`, several problems joined by `; `. Bad data
# is not a failure: the exit code is 0. When nobody reads the output any more, SIGPIPE ends it, or
# exit code 1 where that is ignored.
#
# With `--records` it answers the requests of a stage with `protocol = "records"`
# (../PROTOCOL.md), each at once. Perl 5.14 or later and its own modules, nothing else.
use strict;
use warnings;

use B ();
use JSON::PP ();

# With bignum, what has a fraction or an exponent is a Math::BigFloat: 18.0 is no integer.
my $json = JSON::PP->new->allow_nonref->allow_bignum;

# The calendar as a pattern: only a leap year has a 29th of February.
my $leap_year = qr/[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00/;
my $month_and_day = qr/(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])
    |(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)
    |02-(?:0[1-9]|1[0-9]|2[0-8])/x;
my $hour_and_minute = qr/(?:[01][0-9]|2[0-3]):[0-5][0-9]/;
my $created_at = qr/\A(?:[0-9]{4}-(?:$month_and_day)|(?:$leap_year)-02-29)
    (?:T$hour_and_minute:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-]$hour_and_minute))?\z/x;
my $email = qr/\A[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}\z/;

# [field, required, its kind, test when it is of that kind, error code then, what to say]
my @rules = (
    ['id', 1, 'integer', sub { $_[0] >= 1 }, 'range', 'is not an integer from 1'],
    ['name', 1, 'string', sub { $_[0] ne '' }, 'empty', 'is not a non-empty string'],
    ['email', 1, 'string', sub { $_[0] =~ $email }, 'format', 'is not an e-mail address'],
    ['age', 0, 'integer', sub { $_[0] >= 0 && $_[0] <= 150 }, 'range',
        'is not an integer from 0 to 150'],
    ['active', 0, 'boolean', sub { 1 }, '', 'is not a boolean'],
    ['tags', 0, 'strings', \&are_unique, 'duplicate', 'is not an array of unique strings'],
    ['created_at', 1, 'string', sub { $_[0] =~ $created_at }, 'format',
        'is not an ISO 8601 date or date-time'],
);

sub are_unique {
    my %seen;
    return !grep { $seen{$_}++ } @{ $_[0] };
}

my %kinds = (
    'JSON::PP::Boolean' => 'boolean',
    'Math::BigInt' => 'integer',
    'Math::BigFloat' => 'float',
    'HASH' => 'object',
);

sub kind {
    my ($value) = @_;
    return 'null' if !defined $value;
    return (grep { kind($_) ne 'string' } @$value) ? 'array' : 'strings' if ref $value eq 'ARRAY';
    return $kinds{ ref $value } if ref $value;
    # Only what was written in quotes has text.
    return B::svref_2object(\$value)->FLAGS & B::SVf_POK ? 'string' : 'integer';
}

# JSON::PP refuses half a surrogate pair. It is read as a character of private use instead.
sub read_json {
    my ($text) = @_;
    $text =~ s{(\\(?:[^u]|u(?i:d[89ab]..\\ud[c-f]..)))|\\u((?i:d[89a-f]..))}
        {$1 // chr(0x102000 + hex $2)}ges if $text =~ /\\u[dD]/;
    return $json->decode($text);
}

sub error {
    my ($path, $code, $message) = @_;
    return { path => $path, code => $code, message => $message };
}

sub errors_of {
    my ($user) = @_;
    return error('', 'type', 'not a JSON object') if ref $user ne 'HASH';
    my @errors;
    for (@rules) {
        my ($field, $required, $kind, $test, $code, $message) = @$_;
        if (!exists $user->{$field}) {
            push @errors, error("/$field", 'missing', 'is missing') if $required;
        } elsif (kind($user->{$field}) ne $kind) {
            push @errors, error("/$field", 'type', $message);
        } elsif (!$test->($user->{$field})) {
            push @errors, error("/$field", $code, $message);
        }
    }
    return @errors;
}

# What is wrong with one line, a list of messages; empty when it is a valid user.
sub problems_of {
    my ($line) = @_;
    # Perl's own decoder also takes surrogates and what lies beyond the last character; the strict
    # one of Encode refuses characters that are never assigned, which JSON may hold.
    return 'not UTF-8' if !utf8::decode($line) || $line =~ /[^\x{0}-\x{D7FF}\x{E000}-\x{10FFFF}]/;
    my @errors = errors_of(eval { read_json($line) });
    return map { $_->{path} eq '' ? $_->{message} : "$_->{path} $_->{message}" } @errors;
}

sub validate {
    while (my $line = <STDIN>) {
        chomp $line;
        my @problems = problems_of($line);
        if (@problems) {
            print STDERR "line $.: ", join('; ', @problems), "\n";
        } else {
            print $line, "\n" or exit 1;
        }
    }
    close STDOUT or exit 1;
}

sub answer {
    $| = 1;
    while (my $line = <STDIN>) {
        utf8::decode($line);
        my $request = read_json($line);
        my @errors = errors_of($request->{record});
        my %reply = (id => $request->{id}, ok => @errors ? JSON::PP::false : JSON::PP::true);
        $reply{errors} = \@errors if @errors;
        print $json->encode(\%reply), "\n" or exit 1;
    }
}

binmode STDIN;
binmode STDOUT;
if (@ARGV && $ARGV[0] eq '--records') { answer() } else { validate() }
