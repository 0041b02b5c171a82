# SPDX-License-Identifier: GPL-2.0-or-later
# Makes unicode-edges.h from UnicodeData.txt (package unicode-data, version 15.0):
#   awk -f unicode-edges.awk /usr/share/unicode/UnicodeData.txt | clang-format >unicode-edges.h
BEGIN {
	FS = ";"
	for (i = 0; i < 16; i++)
		digit[substr("0123456789ABCDEF", i + 1, 1)] = i
	print "/* SPDX-License-Identifier: GPL-2.0-or-later */"
	print "/*"
	print " * Where printable characters of Unicode 15.0 begin and end, in turn. Made from UnicodeData.txt by"
	print " * unicode-edges.awk."
	print " */"
	print "#pragma once\n\n#include <stdint.h>\n"
	print "static const uint32_t edges[] = {"
}
function hex(text,    i, value)
{
	for (i = 1; i <= length(text); i++)
		value = value * 16 + digit[substr(text, i, 1)]
	return value
}
# Also called for the gap before a character that is not next to the last one.
function see(code, printable)
{
	if (printable != was_printable)
		printf "%s0x%x", n++ ? ", " : "", code
	was_printable = printable
	next_code = code + 1
}
{
	code = hex($1)
	printable = $3 ~ /^[LMNPS]/ || code == 32
	# A range is given by its first and last character.
	if (code != next_code && $2 !~ /Last>$/)
		see(next_code, 0)
	see(code, printable)
}
END {
	see(next_code, 0)
	# No comma after the last: clang-format would put each number on its own line.
	print "};"
}
