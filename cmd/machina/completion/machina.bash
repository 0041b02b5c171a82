# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of machina(8) for bash: the program itself knows what may follow.

_machina()
{
	local -a words=() lines=()
	local i word line current glue=

	# Bash has split "--root=/x" at the "="; its words are put together again.
	for ((i = 1; i <= COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if ((${#words[@]})) && [[ ${words[-1]} == --* ]] &&
			[[ $word == = || (${words[-1]} == *= && ${COMP_WORDS[i - 1]} == =) ]]; then
			words[-1]+=$word
		else
			words+=("$word")
		fi
	done
	current=${words[-1]-}
	[[ $current == --*=* ]] && glue=${current%%=*}=

	mapfile -t lines < <(command machina _complete -- "${words[@]}" 2>/dev/null)
	COMPREPLY=()
	case ${lines[0]-} in
	:files)
		mapfile -t COMPREPLY < <(compgen -f -- "${current#"$glue"}")
		compopt -o filenames
		;;
	:directories)
		mapfile -t COMPREPLY < <(compgen -d -- "${current#"$glue"}")
		compopt -o filenames
		;;
	*)
		for line in "${lines[@]}"; do
			line=${line%%$'\t'*}
			COMPREPLY+=("${line#"$glue"}")
		done
		;;
	esac
}

complete -F _machina machina
