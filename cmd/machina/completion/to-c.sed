# SPDX-License-Identifier: GPL-2.0-or-later
# A text as string literals of C, one a line.
s/[\\"]/\\&/g
s/.*/"&\\n"/
