# Serves `records`. By the number `n` of a record it rejects some, drops some and gives others
# back changed. `replies.pl 700`: before that record it waits at the FIFO `gate`, if there is one.
# `replies.pl 700 hang`: there it hangs until it is killed. `replies.pl repair`: dead letters
# become their records' numbers.
use strict;
use warnings;
$| = 1;
my ($stop, $how) = (shift // '', shift // '');
while (my $line = <STDIN>) {
    my ($id) = $line =~ /^\{"id":([0-9]+)/ or die;
    my ($n) = $line =~ /"n":([0-9]+)/;
    if (!defined $n) {
        print qq({"id":$id,"ok":false,"errors":["it has no number"]}\n);
        next;
    }
    if ($stop eq 'repair') {
        print qq({"id":$id,"ok":true,"record":{"mended":$n}}\n);
        next;
    }
    if ($n eq $stop && -p 'gate') {
        $SIG{TERM} = 'IGNORE' if $how eq 'hang';
        open my $gate, '<', 'gate' or die;
        do { my $go = <$gate> } while ($how eq 'hang' && -p 'gate');
    }
    if ($n % 97 == 0) {
        print qq({"id":$id,"ok":false,"errors":["$n is refused"]}\n);
    } elsif ($n % 89 == 0) {
        print qq({"id":$id,"drop":true}\n);
    } elsif ($n % 7 == 0) {
        print qq({"id":$id,"ok":true,"record":{"n":$n,"user":"changed"}}\n);
    } else {
        print qq({"id":$id,"ok":true}\n);
    }
}
