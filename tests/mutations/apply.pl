# Applies one mutation in the current folder.
use strict;
use warnings;

my $text = <>;
my ($file, $from, $to) = $text =~ /\A(\S+)[^\n]*\n<<<<\n(.*?)\n====\n(.*?)\n?>>>>\n\z/s or die "this is no mutation\n";
open my $in, '<', $file or die "$file: $!\n";
my $source = <$in>;
close $in;
my $at = index $source, $from;
die "$file: what is to be broken is not there\n" if $at < 0;
die "$file: what is to be broken is there twice\n" if index($source, $from, $at + 1) >= 0;
substr($source, $at, length $from) = $to;
open my $out, '>', $file or die "$file: $!\n";
print $out $source;
close $out;
