#!/usr/bin/env perl
# Prints the table of src/template/ignorable.rs from the Unicode data that Perl brings along.
use strict;
use warnings;
my $first;
for my $code (0 .. 0x10FFFF) {
    next if $code >= 0xD800 && $code <= 0xDFFF;
    my $in = chr($code) =~ /\p{Default_Ignorable_Code_Point}/;
    $first = $code if $in && !defined $first;
    next if $in || !defined $first;
    printf "    (0x%x, 0x%x),\n", $first, $code - 1;
    undef $first;
}
