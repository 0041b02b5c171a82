#compdef machina
# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of machina(8) for zsh: the program itself knows what may follow.

_machina()
{
	local -a lines candidates
	local line word description

	lines=("${(@f)$(command machina _complete -- "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
	case $lines[1] in
	'')
		return 1
		;;
	:files|:directories)
		[[ $PREFIX == --*=* ]] && compset -P 1 '*='
		if [[ $lines[1] == :files ]]; then
			_files
		else
			_files -/
		fi
		return
		;;
	esac

	# _describe wants "candidate:description".
	for line in $lines; do
		word=${line%%$'\t'*}
		description=${line#$word}
		candidates+=("${word//:/\\:}${description/$'\t'/:}")
	done
	_describe machina candidates
}

# As an autoloaded function of this name, or read by "source".
if [[ $funcstack[1] == _machina ]]; then
	_machina "$@"
else
	compdef _machina machina
fi
