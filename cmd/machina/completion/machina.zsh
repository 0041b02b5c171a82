#compdef machina
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of machina(8) for zsh: the program itself knows what may follow.

_machina()
{
	local -a lines candidates open
	local line word description files= found=1

	lines=("${(@f)$(command machina _complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	# _describe wants "candidate:description".
	for line in $lines; do
		word=${line%%$'\t'*}
		description=${line#$word}
		case $line in
		'') ;;
		:files|:directories) files=$line ;;
		*:) open+=("$line") ;;
		*) candidates+=("${word//:/\\:}${description/$'\t'/:}") ;;
		esac
	done
	(($#candidates)) && _describe machina candidates && found=0
	# "web:" goes on.
	(($#open)) && compadd -S '' -- $open && found=0
	if [[ $files ]]; then
		[[ $PREFIX == --*=* ]] && compset -P 1 '*='
		if [[ $files == :files ]]; then
			_files && found=0
		else
			_files -/ && found=0
		fi
	fi
	return found
}

# As an autoloaded function of this name, or read by "source".
if [[ $funcstack[1] == _machina ]]; then
	_machina "$@"
else
	compdef _machina machina
fi
